/** Checks that run inside the page: contrast as WCAG 2 computes it, and the names of controls. */

/** Texts whose contrast with what is behind them is below 4.5 (3 for large text). */
export function unreadable() {
  const channels = (/** @type {string} */ color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (/** @type {number[]} */ rgb) => {
    const [red, green, blue] = rgb.map((value) =>
      value <= 10.31 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (/** @type {Element | null} */ element) => {
    for (; element; element = element.parentElement) {
      const [red, green, blue, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
      if (alpha > 0) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent)
      .join("")
      .trim();
    if (!text || !element.checkVisibility() || element.matches(":disabled, option, .skip")) continue;
    const style = getComputedStyle(element);
    const [front, back] = [luminance(channels(style.color).slice(0, 3)), luminance(behind(element))];
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const isLarge =
      parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return found;
}

/** Controls that a screen reader could not name. */
export function unnamed() {
  const controls = document.querySelectorAll(
    "button, a[href], input, select, [role=listbox], canvas[role=img], [role=progressbar]",
  );
  const isNamed = (/** @type {any} */ element) => {
    const label = element.getAttribute("aria-label") ?? element.textContent.trim();
    return label !== "" || [...(element.labels ?? [])].some((own) => own.textContent.trim() !== "");
  };
  return [...controls]
    .filter((element) => element.checkVisibility() && !isNamed(element))
    .map((element) => element.outerHTML.slice(0, 100));
}
