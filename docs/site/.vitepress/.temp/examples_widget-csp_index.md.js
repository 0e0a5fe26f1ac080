import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"The widget, under a strict policy","description":"","frontmatter":{},"headers":[],"relativePath":"examples/widget-csp/index.md","filePath":"examples/widget-csp/index.md"}');
const _sfc_main = { name: "examples/widget-csp/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="the-widget-under-a-strict-policy" tabindex="-1">The widget, under a strict policy <a class="header-anchor" href="#the-widget-under-a-strict-policy" aria-label="Permalink to &quot;The widget, under a strict policy&quot;">​</a></h1><p>A newspaper that cannot read the letters typed on its page. Its policy allows one script and one frame of the widget’s server, no <code>unsafe-*</code>, and Trusted Types without any policy.</p><div class="language-sh vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">sh</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">npm</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> install</span></span>
<span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">npm</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> run</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> parties</span><span style="--shiki-light:#6A737D;--shiki-dark:#6A737D;">        # in another terminal: the server of the widget</span></span>
<span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">npm</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> start</span><span style="--shiki-light:#6A737D;--shiki-dark:#6A737D;">              # the newspaper, on an origin of its own</span></span></code></pre></div><p><code>server.mjs</code> asks the widget’s server for the name and the hash of its script (<code>widget.json</code>). A site of your own has them as text.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("examples/widget-csp/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
