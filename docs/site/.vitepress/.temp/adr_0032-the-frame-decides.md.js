import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse(`{"title":"32. On other people's pages the frame decides","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0032-the-frame-decides.md","filePath":"adr/0032-the-frame-decides.md"}`);
const _sfc_main = { name: "adr/0032-the-frame-decides.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="32-on-other-peoples-pages-the-frame-decides" tabindex="-1">32. On other people&#39;s pages the frame decides <a class="header-anchor" href="#32-on-other-peoples-pages-the-frame-decides" aria-label="Permalink to &quot;32. On other people&#39;s pages the frame decides&quot;">​</a></h1><p>A host page may be hostile. It frames the widget, and must not get at the text.</p><p><strong>Decision.</strong> The text is typed into a frame of the widget&#39;s own origin; the origin is the boundary, and a shadow tree is none. The script on the host&#39;s page is small and decides nothing. The frame decides:</p><ul><li><em>whose parties</em>: those of its own server&#39;s <code>tercet.json</code>. A <code>deployment</code> of another server is refused, because who names the two parties can be both of them.</li><li><em>what is told</em>: progress in hundredths, codes, and with <code>share-result</code> an answer from which everything that repeats the text is left out. No byte counts, no buckets, and no height that follows the text.</li><li><em>when it is shared</em>: the terms hold for the life of a frame. Another value of an attribute takes another frame. The line that says who gets the answer must have been in sight (<code>trackVisibility</code>), and nothing is run for a page while somebody types.</li></ul><p>Two greetings go between the windows: one that says nothing to any origin, and one to the exact origin, with a port and the nonce of the first. Everything else goes over the port, read by shape, and closed when it floods.</p><p><strong>One worker a page.</strong> Shared workers of Chromium have no workers of their own, and the kernels need some. So a shared worker only brings the frames together. The first frame leads and starts the worker; the others get ports to it. The browser keeps other origins from that shared worker, so no host is in between. Each frame carries the WebRTC of its own party, so a frame that goes away ends its run.</p><p><strong>Words.</strong> The English sentence is the key of its replacement. So no sentence is written twice and none is left out, also those of errors. The price: a changed sentence loses its replacement.</p><p><strong>Left out.</strong> A closed shadow tree (hides nothing), <code>isolation</code> headers (the host would have to be isolated), results over <code>postMessage</code> to <code>*</code>.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0032-the-frame-decides.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0032TheFrameDecides = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0032TheFrameDecides as default
};
