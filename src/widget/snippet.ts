/** The tag that a host copies: written once, for the page where one chooses and for `tercet site`. */

/** Where the build says which script belongs on other pages, and its hash. */
export const WIDGET_FILE = 'widget.json';
/** The frame that the tag draws; the one page of a site that others may frame. */
export const FRAME_FILE = 'widget-frame.html';

export interface WidgetScript {
  /** Name of the script, relative to the site. */
  readonly script: string;
  /** Its hash, as `integrity` takes it. */
  readonly integrity: string;
}

export interface Snippet {
  readonly model: string;
  readonly task: string;
  readonly shareResult?: boolean;
  readonly theme?: string;
}

/** @param site address of the site that serves the widget */
export function snippetOf({ script, integrity }: WidgetScript, site: string, tag: Snippet): string {
  const attributes = [
    ['model', tag.model],
    ['task', tag.task],
    ['deployment', new URL('tercet.json', site).href],
    ...(tag.theme === undefined || tag.theme === 'auto' ? [] : [['theme', tag.theme]]),
  ].map(([name, value]) => `${name}="${escaped(value)}"`);
  const all = [...attributes, ...(tag.shareResult === true ? ['share-result'] : [])].join(' ');
  const src = escaped(new URL(script, site).href);
  return `<script type="module" src="${src}" integrity="${escaped(integrity)}" crossorigin></script>\n<tercet-infer ${all}></tercet-infer>`;
}

/** What stands in the file; undefined for anything else. */
export function widgetScriptOf(json: unknown): WidgetScript | undefined {
  const { script, integrity } = (json ?? {}) as Partial<Record<keyof WidgetScript, unknown>>;
  return typeof script === 'string' && typeof integrity === 'string' ? { script, integrity } : undefined;
}

function escaped(value: string): string {
  return value.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
