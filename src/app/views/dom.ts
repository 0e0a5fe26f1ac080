/**
 * The few ways in which the page is changed. Text goes in as text, never as markup; sizes go in as custom
 * properties, because the CSP forbids style attributes.
 */

import type { PageId } from '../page-keys.ts';

export function byId<T extends HTMLElement = HTMLElement>(id: PageId): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id} in the page`);
  return found as T;
}

export function all<T extends Element = HTMLElement>(selector: string, inside: ParentNode = document): T[] {
  return [...inside.querySelectorAll<T>(selector)];
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className !== '') node.className = className;
  node.append(...children);
  return node;
}

/** Words of a user or a model: laid out in the direction that they are read in. */
export function auto<T extends HTMLElement>(node: T): T {
  node.dir = 'auto';
  return node;
}

export function svg(tag: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== '') node.textContent = text;
  return node;
}

export function button(className: string, label: string, onClick: () => void): HTMLButtonElement {
  const node = el('button', className, label);
  node.type = 'button';
  node.addEventListener('click', onClick);
  return node;
}

export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** The filled part of a bar, 0 to 1. */
export function setBar(node: HTMLElement | SVGElement, value: number): void {
  const v = String(Math.round(Math.max(0, Math.min(1, value)) * 1e4) / 1e4);
  if (node.style.getPropertyValue('--v') !== v) node.style.setProperty('--v', v);
}

export function setAttribute(node: Element, name: string, value: string | undefined): void {
  if (value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** A radio with its label, as a line of text children. */
export function radio(name: string, value: string, checked: boolean): HTMLInputElement {
  const input = el('input');
  input.type = 'radio';
  input.name = name;
  input.value = value;
  input.checked = checked;
  return input;
}

/** Whether the reader asked for less motion. */
export const reducedMotion = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * Calls back in the next frame, between its layout and its painting. Measuring is free there; right after a change it
 * would lay out the page within the task that changed it.
 */
export function onceLaidOut(measure: () => void): void {
  const observer = new ResizeObserver(() => {
    observer.disconnect();
    measure();
  });
  // The first call of an observer is for the size that it finds.
  observer.observe(document.body);
}
