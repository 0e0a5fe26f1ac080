import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"8. Padding is masked inside attention, not in the scores","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0008-padding-inside-attention.md","filePath":"adr/0008-padding-inside-attention.md"}');
const _sfc_main = { name: "adr/0008-padding-inside-attention.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="8-padding-is-masked-inside-attention-not-in-the-scores" tabindex="-1">8. Padding is masked inside attention, not in the scores <a class="header-anchor" href="#8-padding-is-masked-inside-attention-not-in-the-scores" aria-label="Permalink to &quot;8. Padding is masked inside attention, not in the scores&quot;">​</a></h1><p><strong>Context.</strong> What is prepared has the length of a bucket; the text is shorter, and by how much is nobody&#39;s business. The usual large negative penalty on the scores of padded keys has no room: the window of differences in which the row maximum is taken is as wide as the scores of the text alone may spread.</p><p><strong>Choice.</strong> The owner shares one bit per position. Padded columns get the row&#39;s first score before the maximum (position 0 always is text, so nothing changes), and the table that already drops negligible weights takes the bit as one more bit of its index and drops padded keys too. Their weight is zero exactly.</p><p><strong>Consequence.</strong> One round per layer (two with nine tree bits), one byte of the owner&#39;s uplink per score, and a table of 128 single bits instead of 64. A text has the same answer with and without padding (<code>test/mpc/semi-honest.test.ts</code>), and hostile padding changes nothing (<code>test/mpc/secure.test.ts</code>).</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0008-padding-inside-attention.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0008PaddingInsideAttention = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0008PaddingInsideAttention as default
};
