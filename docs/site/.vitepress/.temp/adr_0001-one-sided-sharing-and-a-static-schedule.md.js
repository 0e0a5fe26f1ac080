import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"1. One-sided sharing and a static schedule","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0001-one-sided-sharing-and-a-static-schedule.md","filePath":"adr/0001-one-sided-sharing-and-a-static-schedule.md"}');
const _sfc_main = { name: "adr/0001-one-sided-sharing-and-a-static-schedule.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="1-one-sided-sharing-and-a-static-schedule" tabindex="-1">1. One-sided sharing and a static schedule <a class="header-anchor" href="#1-one-sided-sharing-and-a-static-schedule" aria-label="Permalink to &quot;1. One-sided sharing and a static schedule&quot;">​</a></h1><p><strong>Context.</strong> The sharing (m, λ1, λ2) can be evaluated with m at both compute parties, or one-sided: a = m − λ1 at P1, λ2 at P2, and x + λ1 at P2 only where two secrets meet. Messages can be scheduled by awaiting operands, or fixed beforehand.</p><p><strong>Choice.</strong> One-sided components with a tensor type that knows which exist; every gate placed in a half-round when the circuit is built.</p><p><strong>Why.</strong> One-sided gives linear layers without online messages and every scalar function for one word of P0. A fixed schedule makes the next frame&#39;s tag and length known to the receiver (anything else is an error at once), makes bytes and rounds a property of the circuit that tests can compare, and needs no reassembly buffers.</p><p><strong>Rejected.</strong> Dynamic scheduling by promises: fewer lines, but unbounded queues and an order that only exists at run time. Swapping P1 and P2 on half of the rows: would balance the link (4.0 / 0.3 GB for BERT-base at 128 tokens today), at the price of re-sharing where the sides meet; worth doing when a real link is the limit.</p><p><strong>Consequence.</strong> Circuits are per shape (tokens, masks) and built by every party; building takes about 0.1–0.5 s.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0001-one-sided-sharing-and-a-static-schedule.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0001OneSidedSharingAndAStaticSchedule = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0001OneSidedSharingAndAStaticSchedule as default
};
