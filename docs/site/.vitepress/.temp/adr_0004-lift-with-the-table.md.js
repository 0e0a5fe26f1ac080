import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"4. A truncated value is lifted together with its truncation table","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0004-lift-with-the-table.md","filePath":"adr/0004-lift-with-the-table.md"}');
const _sfc_main = { name: "adr/0004-lift-with-the-table.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="4-a-truncated-value-is-lifted-together-with-its-truncation-table" tabindex="-1">4. A truncated value is lifted together with its truncation table <a class="header-anchor" href="#4-a-truncated-value-is-lifted-together-with-its-truncation-table" aria-label="Permalink to &quot;4. A truncated value is lifted together with its truncation table&quot;">​</a></h1><p><strong>Context.</strong> A product needs y = x + λ1 at P2. For a truncated operand the plain lift (PROTOCOL §4.5) sends it after P1 knows a, one round later.</p><p><strong>Choice.</strong> P1 sends its additive part of the result, a&#39; + r0·2^k − 2^(k−2), under a fresh λ1 beside the truncation&#39;s table; P2 adds its own part and has y half a round before P1 has a.</p><p><strong>Why.</strong> One round less for every product that follows a truncation: 264 rounds instead of 291 for BERT-base at 16 tokens with open weights, 101 instead of 125 for the embedded model with secret ones (measured), no extra byte. The extra word is uniform under λ1, which is drawn for this message.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0004-lift-with-the-table.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0004LiftWithTheTable = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0004LiftWithTheTable as default
};
