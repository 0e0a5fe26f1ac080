import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"6. Vectors may live on a device","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0006-vectors-on-a-device.md","filePath":"adr/0006-vectors-on-a-device.md"}');
const _sfc_main = { name: "adr/0006-vectors-on-a-device.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="6-vectors-may-live-on-a-device" tabindex="-1">6. Vectors may live on a device <a class="header-anchor" href="#6-vectors-may-live-on-a-device" aria-label="Permalink to &quot;6. Vectors may live on a device&quot;">​</a></h1><p><strong>Context.</strong> The kernel interface took and returned arrays. On WebGPU every operation would then be an upload and a read-back, and a read-back costs a round trip to the device, hundreds of times the work.</p><p><strong>Choice.</strong> Operations take and return <em>vectors</em>: arrays here, or handles of vectors on a device. Only what travels crosses: <code>pack</code>, <code>selectionTable</code> and <code>read</code> are the ways out, <code>unpack</code> the way in. Links take a message for sending without waiting for its words, so the next gate computes while they come back, and all words that are asked for in one turn of the event loop share one read-back. Memory is freed by <code>sweep(live)</code> between gates: the engine knows which components are still needed, and anything else that the attempt made is cleared and reused.</p><p><strong>Consequence.</strong> Host backends ignore <code>sweep</code>. Reference counts and finalisers, the alternatives, either clutter every gate or free too late: a garbage collector does not know how much device memory a small handle stands for.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0006-vectors-on-a-device.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0006VectorsOnADevice = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0006VectorsOnADevice as default
};
