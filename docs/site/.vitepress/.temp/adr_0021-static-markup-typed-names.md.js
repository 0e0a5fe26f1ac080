import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"21. The page stays static markup; its names are typed","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0021-static-markup-typed-names.md","filePath":"adr/0021-static-markup-typed-names.md"}');
const _sfc_main = { name: "adr/0021-static-markup-typed-names.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="21-the-page-stays-static-markup-its-names-are-typed" tabindex="-1">21. The page stays static markup; its names are typed <a class="header-anchor" href="#21-the-page-stays-static-markup-its-names-are-typed" aria-label="Permalink to &quot;21. The page stays static markup; its names are typed&quot;">​</a></h1><p><strong>Context.</strong> The page was static HTML whose 60 string keys nothing tied to the views. Components (preact) were weighed.</p><p><strong>Measured.</strong> Preact with hooks, minified: 5.8 kB gzipped. First paint was 57.7 of 60 kB. <code>index.html</code> is 7.5 kB gzipped, and a component would carry the same words. It is shown before any script runs, and without one; components would need rendering at build time for that. The views are 1,090 lines; about 250 of them (<code>byId</code>, <code>setText</code>, the settings&#39; lists) would become shorter.</p><p><strong>Decision.</strong> No component library in the app. <code>src/app/page-keys.ts</code> lists every id, text and bar of the page; the selectors&#39; results and <code>byId</code> take only these names, and a test holds the list against <code>index.html</code> in both directions. What stood four times is a <code>&lt;template&gt;</code>.</p><p><strong>Consequence.</strong> A misspelt name does not compile, a name without a place fails a test, and the page&#39;s weight does not grow. The widget decides for itself.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0021-static-markup-typed-names.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0021StaticMarkupTypedNames = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0021StaticMarkupTypedNames as default
};
