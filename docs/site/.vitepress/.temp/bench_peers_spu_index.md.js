import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"SPU beside Tercet","description":"","frontmatter":{},"headers":[],"relativePath":"bench/peers/spu/index.md","filePath":"bench/peers/spu/index.md"}');
const _sfc_main = { name: "bench/peers/spu/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="spu-beside-tercet" tabindex="-1">SPU beside Tercet <a class="header-anchor" href="#spu-beside-tercet" aria-label="Permalink to &quot;SPU beside Tercet&quot;">​</a></h1><p>Optional, and in Python: nothing of Tercet needs it. SPU runs a BERT encoder with the circuits of PUMA, in ABY3, on the machine that Tercet is measured on.</p><div class="language-sh vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">sh</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">python3.11</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> -m</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> venv</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> /tmp/spu</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;"> &amp;&amp; </span><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">/tmp/spu/bin/pip</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> install</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> -r</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> bench/peers/spu/requirements.txt</span><span style="--shiki-light:#6A737D;--shiki-dark:#6A737D;">      # 1 GB with jax</span></span>
<span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">/tmp/spu/bin/python</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> bench/peers/spu/run.py</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> --size</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> tiny</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> --tokens</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> 8</span><span style="--shiki-light:#6A737D;--shiki-dark:#6A737D;">                                # shows that it works</span></span>
<span class="line"><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">/tmp/spu/bin/python</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> bench/peers/spu/run.py</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> --out</span><span style="--shiki-light:#032F62;--shiki-dark:#9ECBFF;"> bench/results/spu.json</span><span style="--shiki-light:#6A737D;--shiki-dark:#6A737D;">                          # 15 minutes on two quiet cores</span></span></code></pre></div><ul><li>Its wheels are for Linux on x86-64 and Python 3.10 or 3.11.</li><li>GeLU, softmax and the limit of −14 are PUMA&#39;s (Dong et al., arXiv 2307.12533, and its public configuration): ABY3, 64-bit ring, 18 fractional bits, exp by (1 + x/2^5)^(2^5). Division, roots and maximum are SPU&#39;s own.</li><li>It begins at embedded hidden states, has no head, and its last layer is for one row. All of that favours SPU: Tercet&#39;s runs look the tokens up privately and end in a head.</li><li>Three processes on loopback. A row has the bytes and the send actions that SPU counts for each party. Send actions are an upper bound of rounds.</li><li>A row whose answer is off by more than 0.05 from jax in the clear is an error, not a row.</li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("bench/peers/spu/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
