/** Commands that take settings. Apart from their schema: most runs set nothing, and do without its reader. */
export const COMMANDS = ['infer', 'party', 'dealer', 'serve'] as const;
export type ConfiguredCommand = (typeof COMMANDS)[number];

export const takesSettings = (name: string): name is ConfiguredCommand =>
  (COMMANDS as readonly string[]).includes(name);
