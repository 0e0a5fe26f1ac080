import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"22. One JSON reader, our own","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0022-one-json-reader.md","filePath":"adr/0022-one-json-reader.md"}');
const _sfc_main = { name: "adr/0022-one-json-reader.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="22-one-json-reader-our-own" tabindex="-1">22. One JSON reader, our own <a class="header-anchor" href="#22-one-json-reader-our-own" aria-label="Permalink to &quot;22. One JSON reader, our own&quot;">​</a></h1><p><strong>Context.</strong> The deployment, signalling, a party&#39;s description and <code>share.json</code> each had a reader of their own. One library was weighed for all of them: valibot 1.5.0 (MIT).</p><p><strong>Measured.</strong> All four readers on valibot, gzipped: the page&#39;s entry grew by 1.9 kB and the worker by 2.1 kB. First paint became 60,350 of 60,000 bytes and the first answer 254,119 of 250,000 (about 250,100 before it). Both limits are tests.</p><p><strong>Decision.</strong> <code>src/core/json.ts</code>: a schema is a function, and a dozen of them compose. It refuses with the caller&#39;s code and the field&#39;s path, and quotes no value. It copies own, named fields alone, and compares counts first; valibot&#39;s <code>object</code> takes arrays, and its <code>array</code> counts last.</p><p><strong>Consequence.</strong> No dependency, and a new document is a schema. <code>Fields</code> of control messages stays, because what is read next depends on what was read. <code>ml/json.ts</code> stays too: it reads other people&#39;s configurations leniently.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0022-one-json-reader.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0022OneJsonReader = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0022OneJsonReader as default
};
