import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"3. Ranges are proved from the weights, not calibrated on data","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0003-ranges-from-weights.md","filePath":"adr/0003-ranges-from-weights.md"}');
const _sfc_main = { name: "adr/0003-ranges-from-weights.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="3-ranges-are-proved-from-the-weights-not-calibrated-on-data" tabindex="-1">3. Ranges are proved from the weights, not calibrated on data <a class="header-anchor" href="#3-ranges-are-proved-from-the-weights-not-calibrated-on-data" aria-label="Permalink to &quot;3. Ranges are proved from the weights, not calibrated on data&quot;">​</a></h1><p><strong>Context.</strong> Values outside a gadget&#39;s domain wrap silently. The usual remedy calibrates ranges on sample texts when a model is exported.</p><p><strong>Choice.</strong> At load (or when weights are shared) bounds are derived: a normalised row has norm √C, so |W·y + b| ≤ √C·‖W_j‖ + |b_j|, and attention scores are bounded by the largest singular value of their bilinear form (from traces of powers of Gram matrices). The bounds choose the narrowest sufficient gadget variant per layer; a model that fits none is refused.</p><p><strong>Why.</strong> No text can break a proved bound, so &quot;out of range&quot; cannot be reached by an adversarial or merely unusual input, and there is nothing to calibrate.</p><p><strong>Rejected.</strong> Calibration (fails on the first unusual text), range checks inside the protocol (rounds and bytes on every run).</p><p><strong>Consequence.</strong> Checkpoints with very large weights can be refused although their typical activations would fit. If that happens in practice, add wider variants first (they cost P1 → P2 bytes only), calibration second.</p><p><strong>Amended</strong> by <a href="./0012-measured-ranges.html">ADR 12</a>: where the proof fails, ranges are measured, and the plan says so. <a href="./0020-ranges-are-checked.html">ADR 20</a> adds the checks that were rejected here, for what is not proved.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0003-ranges-from-weights.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0003RangesFromWeights = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0003RangesFromWeights as default
};
