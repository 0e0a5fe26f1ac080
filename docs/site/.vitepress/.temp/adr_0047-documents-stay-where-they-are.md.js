import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"47. Documents stay where they are","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0047-documents-stay-where-they-are.md","filePath":"adr/0047-documents-stay-where-they-are.md"}');
const _sfc_main = { name: "adr/0047-documents-stay-where-they-are.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="47-documents-stay-where-they-are" tabindex="-1">47. Documents stay where they are <a class="header-anchor" href="#47-documents-stay-where-they-are" aria-label="Permalink to &quot;47. Documents stay where they are&quot;">​</a></h1><p><strong>One text.</strong> The site is made of the documents of the repository: <code>scripts/docs/pages.mjs</code> lists them, and changes their links. A link to another document leads to its page; one to a source file becomes its path in words, because the site names no host. So every document reads the same in both places, and nothing is written twice. Costs and the API reference are made while the site is built, from <code>tercet model inspect</code>, the kept declared costs, and the doc comments.</p><p><strong>A package of its own.</strong> VitePress and TypeDoc, with the compiler that TypeDoc needs, are in <code>docs/site/package.json</code> with a lock file. They are about 150 MB in 100 packages, and an older Vite than ours. Everybody who clones would download them otherwise. <code>npm run docs</code> installs them once.</p><p><strong>Not in CI.</strong> The build takes a minute and more. The unit lane checks what breaks: links and anchors of every document (<code>test/architecture/comments.test.ts</code>), every error code&#39;s paragraph and every block of code (<code>test/docs</code>). The build fails on a dead link or anchor again, and on an address of another host that a page would load.</p><p><strong>Errors lead there.</strong> <code>documentation</code> of an error is an address relative to the site. Only who runs it knows where it is served: <code>TERCET_DOCS</code> tells the command line. The REST gateway has its own <code>/docs</code>.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0047-documents-stay-where-they-are.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0047DocumentsStayWhereTheyAre = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0047DocumentsStayWhereTheyAre as default
};
