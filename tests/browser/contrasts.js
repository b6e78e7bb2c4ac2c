// [contrast, text] of every text in view with what is painted behind it (WCAG 2.2, 1.4.3), lowest first.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return { parts: [r, g, b], a: a / 255 };
  };
  const over = (top, under) => top.parts.map((part, i) => part * top.a + under[i] * (1 - top.a));
  const light = (part) => (part <= 10.31 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const ground = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement) {
      layers.push(rgba(getComputedStyle(each).backgroundColor));
      if (layers.at(-1).a === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const contrast = (node, colour) => {
    const under = ground(node);
    const pair = [luminance(under), luminance(over(rgba(colour), under))];
    const [low, high] = pair.sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const node = walker.currentNode.parentElement;
    if (!text || node.closest('noscript')) continue;
    if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    found.push([contrast(node, getComputedStyle(node).color), text]);
  }
  for (const field of document.querySelectorAll('[placeholder]')) {
    found.push([contrast(field, getComputedStyle(field, '::placeholder').color), field.placeholder]);
  }
  const nick = document.querySelector('.message .nick');
  for (let hue = 0; nick && hue < 360; hue += 5) {
    nick.parentElement.style.setProperty('--hue', hue);
    found.push([contrast(nick, getComputedStyle(nick).color), `a nick of hue ${hue}`]);
  }
  return found.sort(([a], [b]) => a - b);
}
