import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"24. Linear maps pass on what both parties have","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0024-additive-wires.md","filePath":"adr/0024-additive-wires.md"}');
const _sfc_main = { name: "adr/0024-additive-wires.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="24-linear-maps-pass-on-what-both-parties-have" tabindex="-1">24. Linear maps pass on what both parties have <a class="header-anchor" href="#24-linear-maps-pass-on-what-both-parties-have" aria-label="Permalink to &quot;24. Linear maps pass on what both parties have&quot;">​</a></h1><p><strong>Context.</strong> Behind a widening, an open map or a look-up P1 and P2 each hold a part of the result. P2 sent its part to P1 every time: 8 bytes an element, and a round before every product. Most of it went into the next linear map.</p><p><strong>Choice.</strong> A wire has a kind. <em>Additive</em>: x = a − l2, where P0 does not know l2. Local operations and open maps take both kinds. A reshare makes a masked wire, where a gate wants one: after the shift, in the reader&#39;s ring. P1&#39;s part of a lift leaves with the widening&#39;s words, and P2&#39;s with the product&#39;s message.</p><p><strong>Why l2 and not a sum.</strong> P2 keeps the negative of its part, so the one-sided form stays, and each local operation with it. A shift of two parts that are added is one unit too low.</p><p><strong>Why a kind.</strong> P0 deals from masks. From those of an additive wire it would deal garbage, without an error. So the gates refuse it, and P0&#39;s engine as well.</p><p><strong>Consequence.</strong> Open maps and look-ups send nothing. BERT-base at 128 tokens: 12 rounds less, and a third of the bytes P2 → P1. With secret weights every reader wants the whole ring, so nothing changes there: look-ups and widenings are re-shared at once. This replaces the rule of <a href="./0004-lift-with-the-table.html">ADR 4</a>, which is the case of a widening without a map behind it.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0024-additive-wires.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0024AdditiveWires = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0024AdditiveWires as default
};
