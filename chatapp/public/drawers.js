// On narrow screens rooms and people are drawers: one open at a time, closed by Escape or a tap beside it.

const WIDTHS = [720, 1040]; // px, the widths at which chat.css changes the layout

/** Set up the drawers named by `ids`, each opened by the button that has aria-controls of its id. */
export function drawers(ids) {
  const all = ids.map((id) => ({
    panel: document.getElementById(id),
    button: document.querySelector(`[aria-controls="${id}"]`),
  }));
  const shade = document.getElementById('shade');
  const isDrawer = ({ panel }) => getComputedStyle(panel).position === 'fixed';

  const show = (opened) => {
    for (const drawer of all) {
      const open = drawer === opened;
      drawer.panel.classList.toggle('open', open);
      drawer.panel.inert = isDrawer(drawer) && !open;
      drawer.button.setAttribute('aria-expanded', String(open));
    }
    shade.hidden = !opened;
    opened?.panel.querySelector('a, button, input')?.focus();
  };
  const close = () => {
    const opened = all.find(({ panel }) => panel.classList.contains('open'));
    show(null);
    if (opened && isDrawer(opened)) opened.button.focus();
  };

  for (const drawer of all) {
    drawer.button.addEventListener('click', () => (drawer.panel.classList.contains('open') ? close() : show(drawer)));
  }
  shade.addEventListener('click', close);
  addEventListener('keydown', (event) => event.key === 'Escape' && !shade.hidden && close());
  for (const width of WIDTHS) matchMedia(`(max-width: ${width}px)`).addEventListener('change', () => show(null));
  show(null);
  return { close };
}
