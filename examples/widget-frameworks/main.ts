import { showInReact } from './InReact.tsx';
import { showInVue } from './in-vue.ts';

const tercet = new URL(new URLSearchParams(location.search).get('tercet') ?? 'http://127.0.0.1:8420/');
showInReact('#react');
showInVue('#vue');

// A page that is written by hand has these two as text in its tag.
const { script, integrity } = (await (await fetch(new URL('widget.json', tercet))).json()) as Record<string, string>;
const element = Object.assign(document.createElement('script'), { type: 'module', crossOrigin: '', integrity });
element.src = new URL(script ?? '', tercet).href;
document.head.append(element);
