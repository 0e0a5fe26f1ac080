import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse(`{"title":"13. A page takes files from a hub by its deployment's pins, not by the hub's word","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0013-hub-files-by-pin.md","filePath":"adr/0013-hub-files-by-pin.md"}`);
const _sfc_main = { name: "adr/0013-hub-files-by-pin.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="13-a-page-takes-files-from-a-hub-by-its-deployments-pins-not-by-the-hubs-word" tabindex="-1">13. A page takes files from a hub by its deployment&#39;s pins, not by the hub&#39;s word <a class="header-anchor" href="#13-a-page-takes-files-from-a-hub-by-its-deployments-pins-not-by-the-hubs-word" aria-label="Permalink to &quot;13. A page takes files from a hub by its deployment&#39;s pins, not by the hub&#39;s word&quot;">​</a></h1><p><strong>Context.</strong> A hub says in headers what a file hashes to and how long it is, partly in redirects to a server of another origin. Node reads them. A browser shows no redirect that it does not follow, shows the headers of the last server only, and gives the length of a compressed answer; so a first version for browsers refused honest files. A hub&#39;s API could be asked instead (commit, then hashes): two more requests, another interface that mirrors must have, and the answer is still the hub&#39;s own word.</p><p><strong>Decision.</strong> A data owner needs a deployment in any case: it names the parties. <code>tercet site</code> writes there for every public file its length and SHA-256, as before, and for models of a hub the commit. With <code>hub</code> in its options the SDK asks for exactly those files, one simple request each (no preflight, no question before it), and accepts nothing else. <code>hubFiles</code> without pins is for Node; where a browser hides a redirect from it, it refuses with a hint.</p><p><strong>Consequence.</strong> A hub or mirror can withhold files, never choose them; a branch that moves on does not break pages. A model that the parties do not serve cannot be loaded, pinned or not, as before. Kept files are held to the pins too, so a cache that was meddled with costs a download.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0013-hub-files-by-pin.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0013HubFilesByPin = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0013HubFilesByPin as default
};
