// Only pages of the repository, and nothing from anywhere else: search is local, fonts and icons are the theme's own.
import { MENU, anchor, placeOf } from '../../../scripts/docs/pages.mjs';
import { menuText } from '../../../scripts/docs/titles.mjs';

const link = (source) => `/${placeOf(source).replace(/(^|\/)index$/, '$1')}`;
const REFERENCE = [{ text: 'API', link: '/api/' }];

export default {
  title: 'Tercet',
  description: 'Private transformer inference among three parties',
  lang: 'en',
  srcDir: '.pages',
  outDir: 'dist',
  head: [['link', { rel: 'icon', href: '/icon.svg' }], ...JSON.parse(process.env.TERCET_DOCS_HEAD ?? '[]')],
  markdown: { anchor: { slugify: anchor }, toc: { slugify: anchor }, headers: { slugify: anchor } },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'tercet-infer' } } },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    sidebar: MENU.map(({ text, sources }) => ({
      text,
      collapsed: false,
      items: [
        ...(text === 'Reference' ? REFERENCE : []),
        ...sources.map((source) => ({ text: menuText(source), link: link(source) })),
      ],
    })),
  },
};
