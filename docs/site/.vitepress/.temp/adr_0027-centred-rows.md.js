import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"27. LayerNorms read rows without a mean","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0027-centred-rows.md","filePath":"adr/0027-centred-rows.md"}');
const _sfc_main = { name: "adr/0027-centred-rows.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="27-layernorms-read-rows-without-a-mean" tabindex="-1">27. LayerNorms read rows without a mean <a class="header-anchor" href="#27-layernorms-read-rows-without-a-mean" aria-label="Permalink to &quot;27. LayerNorms read rows without a mean&quot;">​</a></h1><p><strong>Context.</strong> A LayerNorm subtracts the mean and divides by the deviation. S = Σ (x − μ)² has twice the bits of x, so x − μ was widened before: a round, and 26 bits of P0 for every element. That was a quarter of the rounds of a layer&#39;s norms and 7 % of P0&#39;s bytes.</p><p><strong>Choice.</strong> What a LayerNorm reads has no mean when it comes. Embeddings, and the last map of every block with its bias, are centred before they are encoded, which a LayerNorm does not notice. An encoder&#39;s residual γ∘y has a mean; it is a linear map of y with one column, γ/C, and is subtracted. What is left are roundings, one word a row, widened beside the windows.</p><p><strong>Why that saves a widening.</strong> S of centred rows is Σ x̂². A ring of 32 + v bits at scale v holds variances up to about 2^(22−v), and the same lifted x gives x̂ at every coarser scale without a message (PROTOCOL §5.6). Each group of windows reads the scale that holds it. With a mean in x, d·Σx̂² − (Σx̂)² would need ten bits more.</p><p><strong>Rejected.</strong> Σx̂² − (Σx̂)²/d with the power of two of d divided off: 5.6 bits are lost at d = 768, and rows of large variance with them. One S of the finest scale: 16 octaves of variance, where a checkpoint showed 30.</p><p><strong>Limits.</strong> <em>broad</em> keeps the widening: its largest rows would leave 1/σ too few bits. So does the norm in a masked language model&#39;s head, behind GeLU. The mean of a row must be small beside σ; weights of 16 bits below the point move an entry by as much as they move the mean.</p><p><strong>Consequence.</strong> BERT-base at 128 tokens: 25 rounds, 7 MB of P0 and 35 MB between P1 and P2 less. Encoded weights differ, so kept encodings and shared weights of older versions are not taken.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0027-centred-rows.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0027CentredRows = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0027CentredRows as default
};
