import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"2. All table arithmetic is integer","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0002-integer-tables.md","filePath":"adr/0002-integer-tables.md"}');
const _sfc_main = { name: "adr/0002-integer-tables.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="2-all-table-arithmetic-is-integer" tabindex="-1">2. All table arithmetic is integer <a class="header-anchor" href="#2-all-table-arithmetic-is-integer" aria-label="Permalink to &quot;2. All table arithmetic is integer&quot;">​</a></h1><p><strong>Context.</strong> P0 and P2 must compute the basis φ(λ2) bit for bit: one ulp of difference randomises the result. P1&#39;s table entries D may be rounded in any way.</p><p><strong>Choice.</strong> Both sides are integer formulas: φ from powers and shifts, exp from two tables of 2048 entries computed with bigint Taylor series, D by Horner&#39;s rule with guard bits, in 32-bit lanes where the coefficients allow it.</p><p><strong>Why.</strong> Also D must be equal on every back end, or kernels could only be compared with a tolerance, and WGSL has neither 64-bit floats nor a fixed rounding of f32 fused products. The 32-bit Horner runs four coefficients in one SIMD vector.</p><p><strong>Consequence.</strong> Coefficients are fitted in float64 when a circuit is built; only the integers matter afterwards.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0002-integer-tables.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0002IntegerTables = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0002IntegerTables as default
};
