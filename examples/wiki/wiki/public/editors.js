// Tells who is editing the page that is looked at: a long poll, as long as the page is there.
(async () => {
  const place = document.getElementById("editors");
  let names = place.dataset.known.split(" ").filter(Boolean);
  for (;;) {
    place.textContent = names.length ? `${place.dataset.text} ${names.join(", ")}` : "";
    const query = names.map((name) => `known=${encodeURIComponent(name)}`).join("&");
    try {
      const answer = await fetch(`${place.dataset.url}?${query}`);
      if (answer.status === 501) return; // a server that cannot wait
      names = (await answer.json()).editors;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5000));
    }
  }
})();
