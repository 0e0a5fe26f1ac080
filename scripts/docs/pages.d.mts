export const MENU: readonly { readonly text: string; readonly sources: readonly string[] }[];
export const SOURCES: readonly string[];
export function placeOf(source: string): string;
export function anchor(heading: string): string;
export function withLinks(source: string, text: string): string;
export function asText(text: string): string;
