import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"9. The page carries, the worker decides","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0009-who-decides-in-a-page.md","filePath":"adr/0009-who-decides-in-a-page.md"}');
const _sfc_main = { name: "adr/0009-who-decides-in-a-page.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="9-the-page-carries-the-worker-decides" tabindex="-1">9. The page carries, the worker decides <a class="header-anchor" href="#9-the-page-carries-the-worker-decides" aria-label="Permalink to &quot;9. The page carries, the worker decides&quot;">​</a></h1><p><strong>Context.</strong> The party runs in a worker, where RTCPeerConnection does not exist. Transferring a data channel to a worker works in some browsers and only right after it is made.</p><p><strong>Choice.</strong> The page makes offers, applies answers and moves buffers by transfer; the worker talks to the compute parties over HTTPS, checks their signed statement against the pinned key <em>before</em> it lets the page apply the answer, and runs the handshake over the opened link. Flow control is credit over the port, both ways. simple-peer does the set-up, raw negotiated channels carry the data.</p><p><strong>Consequence.</strong> The main thread copies nothing and decides nothing. Calls go through comlink, progress and aborts through a port of their own: a comlink proxy that is collected while a call is in flight leaves the call hanging, so the proxy lives as long as the model.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0009-who-decides-in-a-page.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0009WhoDecidesInAPage = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0009WhoDecidesInAPage as default
};
