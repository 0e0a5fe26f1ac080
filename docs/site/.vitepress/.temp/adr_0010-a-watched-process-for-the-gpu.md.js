import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"10. The whole party in a watched process","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0010-a-watched-process-for-the-gpu.md","filePath":"adr/0010-a-watched-process-for-the-gpu.md"}');
const _sfc_main = { name: "adr/0010-a-watched-process-for-the-gpu.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="10-the-whole-party-in-a-watched-process" tabindex="-1">10. The whole party in a watched process <a class="header-anchor" href="#10-the-whole-party-in-a-watched-process" aria-label="Permalink to &quot;10. The whole party in a watched process&quot;">​</a></h1><p><strong>Context.</strong> Dawn can crash its process, and keeps it alive at exit. Kernels behind an inter-process interface would copy gigabytes per run.</p><p><strong>Choice.</strong> On a graphics device the whole compute party runs in a child process; its parent does nothing but watch. After a crash the parent starts it again at the same addresses; after three crashes in a row <code>--device auto</code> goes on with WebAssembly and says so. A lost device ends the process with a code of its own. <code>auto</code> looks for a graphics device only where there may be one, in a short-lived process of its own, and does not take one that is software.</p><p><strong>Consequence.</strong> Sessions of the moment of a crash are lost, which their other parties see as a broken link. Nothing of them is repeated.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0010-a-watched-process-for-the-gpu.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0010AWatchedProcessForTheGpu = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0010AWatchedProcessForTheGpu as default
};
