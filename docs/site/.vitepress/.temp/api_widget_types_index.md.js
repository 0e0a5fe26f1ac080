import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"widget/types","description":"","frontmatter":{},"headers":[{"level":2,"title":"Interfaces","slug":"interfaces","link":"#interfaces","children":[]},{"level":2,"title":"Type Aliases","slug":"type-aliases","link":"#type-aliases","children":[]}],"relativePath":"api/widget/types/index.md","filePath":"api/widget/types/index.md"}');
const _sfc_main = { name: "api/widget/types/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="widgettypes" tabindex="-1">widget/types <a class="header-anchor" href="#widgettypes" aria-label="Permalink to &quot;widget/types&quot;">​</a></h1><h2 id="interfaces" tabindex="-1">Interfaces <a class="header-anchor" href="#interfaces" aria-label="Permalink to &quot;Interfaces&quot;">​</a></h2><ul><li><a href="./interfaces/TercetInferElement.html">TercetInferElement</a></li><li><a href="./interfaces/WidgetAttributes.html">WidgetAttributes</a></li><li><a href="./interfaces/WidgetEventDetails.html">WidgetEventDetails</a></li><li><a href="./interfaces/WidgetText.html">WidgetText</a></li></ul><h2 id="type-aliases" tabindex="-1">Type Aliases <a class="header-anchor" href="#type-aliases" aria-label="Permalink to &quot;Type Aliases&quot;">​</a></h2><ul><li><a href="./type-aliases/WidgetAnswer.html">WidgetAnswer</a></li><li><a href="./type-aliases/WidgetEventMap.html">WidgetEventMap</a></li><li><a href="./type-aliases/WidgetMode.html">WidgetMode</a></li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("api/widget/types/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
