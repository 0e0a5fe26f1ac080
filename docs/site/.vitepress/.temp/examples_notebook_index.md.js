import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Notebook","description":"","frontmatter":{},"headers":[],"relativePath":"examples/notebook/index.md","filePath":"examples/notebook/index.md"}');
const _sfc_main = { name: "examples/notebook/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="notebook" tabindex="-1">Notebook <a class="header-anchor" href="#notebook" aria-label="Permalink to &quot;Notebook&quot;">​</a></h1><p>A Jupyter notebook that asks the REST gateway <code>tercet serve</code>, and draws a bar chart. It needs Python, matplotlib for the chart, and nothing of Tercet.</p><div class="language-sh vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">sh</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">npm</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> install</span></span>
<span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">npm</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> run</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> gateway</span><span style="--shiki-light:#6A737D;--shiki-dark:#6A737D;">                  # in another terminal</span></span>
<span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">jupyter</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> lab</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> sentiment.ipynb</span></span></code></pre></div><p>The gateway reads every text: it belongs on your side (<a href="./../../guide.html#serving">GUIDE</a>).</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("examples/notebook/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
