import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"7. One attempt, one set of links","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0007-one-attempt-one-link.md","filePath":"adr/0007-one-attempt-one-link.md"}');
const _sfc_main = { name: "adr/0007-one-attempt-one-link.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="7-one-attempt-one-set-of-links" tabindex="-1">7. One attempt, one set of links <a class="header-anchor" href="#7-one-attempt-one-set-of-links" aria-label="Permalink to &quot;7. One attempt, one set of links&quot;">​</a></h1><p><strong>Context.</strong> Correlations are dealt before there is a text, wait for it, are used once or thrown away. Several attempts could share one connection.</p><p><strong>Choice.</strong> A session is one attempt on links of its own, with keys of its own. Preparing opens them; a text that comes uses them; editing into another length, a time-out or a closed tab closes them. A compute party waits for one byte that says that the input follows, or for the end of the link, which means <em>discarded</em> and is no failure. Anything after the first message that depends on the text makes the attempt spent; one whose links died before may be replaced by a fresh one without asking.</p><p><strong>Consequence.</strong> No state survives an attempt, so nothing can be reused by accident, and two tabs are two sessions. Setting up links costs some round trips; they are spent while the user types. Compute parties bound how many sessions they hold.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0007-one-attempt-one-link.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0007OneAttemptOneLink = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0007OneAttemptOneLink as default
};
