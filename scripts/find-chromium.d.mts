/** Says what to install. */
export const NO_CHROMIUM: string;
/** Path of an executable. */
export function findChromium(): string | undefined;
/** The same, where there has to be one. */
export function chromiumPath(): string;
