// On narrow screens rooms and people are drawers: modal dialogs, one at a time. A close button, Escape or a tap
// beside it closes one, and the focus is back where it was.

/** Set up the drawers named by `ids`, each opened by the button that has aria-controls of its id. */
export function drawers(ids) {
  const all = ids.map((id) => ({
    panel: document.getElementById(id),
    button: document.querySelector(`[aria-controls="${id}"]`),
  }));
  const shade = document.getElementById('shade');
  const behind = document.querySelectorAll('main, .skip');
  let opened = null;
  let narrow; // which panels are drawers at this width, as chat.css says

  const show = (drawer) => {
    opened = drawer;
    shade.hidden = !opened;
    for (const node of behind) node.inert = Boolean(opened);
    for (const each of all) dress(each, each === opened, isDrawer(each) || Boolean(opened));
    if (opened) (opened.panel.querySelector('[aria-current]') ?? opened.panel.querySelector('.close')).focus();
  };
  const close = () => {
    const last = opened;
    show(null);
    last?.button.focus();
  };
  const fit = () => {
    const now = all.filter(isDrawer).length;
    if (now !== narrow) show(null);
    narrow = now;
  };

  for (const drawer of all) {
    drawer.button.addEventListener('click', () => show(drawer));
    drawer.panel.querySelector('.close').addEventListener('click', close);
  }
  shade.addEventListener('click', close);
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && opened && !document.querySelector('dialog[open]')) close();
  });
  addEventListener('resize', fit);
  fit();
  return { close };
}

function isDrawer({ panel }) {
  return getComputedStyle(panel).position === 'fixed';
}

/** Give a panel what it is at this moment: an open dialog, a closed one, or (not `modal`) a part of the page. */
function dress({ panel, button }, open, modal) {
  panel.classList.toggle('open', open);
  panel.inert = modal && !open;
  for (const [name, value] of [['role', 'dialog'], ['aria-modal', 'true']]) {
    if (open) panel.setAttribute(name, value);
    else panel.removeAttribute(name);
  }
  button.setAttribute('aria-expanded', String(open));
}
