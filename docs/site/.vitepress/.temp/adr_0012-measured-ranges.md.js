import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"12. Ranges that weights do not prove are measured","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0012-measured-ranges.md","filePath":"adr/0012-measured-ranges.md"}');
const _sfc_main = { name: "adr/0012-measured-ranges.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="12-ranges-that-weights-do-not-prove-are-measured" tabindex="-1">12. Ranges that weights do not prove are measured <a class="header-anchor" href="#12-ranges-that-weights-do-not-prove-are-measured" aria-label="Permalink to &quot;12. Ranges that weights do not prove are measured&quot;">​</a></h1><p><strong>Context.</strong> Ranges from norms (ADR 3) hold for every text, but they multiply worst cases: a row of norm √C that points along the largest singular vector, in every layer. Trained models of full size exceed them by factors that no text reaches; refusing them would leave only models trained for Tercet.</p><p><strong>Decision.</strong> The proof comes first. Where it fails, the float model runs on sample inputs (indices spread over the whole vocabulary, and a few texts of ours), what it shows is multiplied by 3 (variances by 9), activations take the variants that saturate, and the plan says <code>basis: measured</code>. <code>model inspect</code> shows it and the plan travels in the offer, so the owner&#39;s side knows. Both compute parties derive the plan alone and compare it, as before; the samples are fixed.</p><p><strong>Consequence.</strong> A text beyond the margin would be answered wrongly, and nobody would notice. It breaks no privacy: masks do not depend on values. With secret weights the model owner measures when sharing.</p><p>GPT-2&#39;s residual stream is bounded by the sum of what every block may add, element by element; a fourth resolution of LayerNorm (<code>broad</code>) holds variances up to 2^36 at d = 768, where its error is 1/(c·σ), c ≈ 2^7.</p><p><strong>Superseded in part</strong> by <a href="./0020-ranges-are-checked.html">ADR 20</a>: what is measured chooses gadgets, and every run checks it, so that a text beyond the margin is refused and not answered wrongly. Bounds are taken one by one, the margin is named in the plan, the samples reach the model&#39;s full length, and <code>broad</code> holds variances up to 2^60/d³.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0012-measured-ranges.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0012MeasuredRanges = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0012MeasuredRanges as default
};
