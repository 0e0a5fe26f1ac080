import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Data of the accuracy suite","description":"","frontmatter":{},"headers":[],"relativePath":"bench/data/index.md","filePath":"bench/data/index.md"}');
const _sfc_main = { name: "bench/data/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="data-of-the-accuracy-suite" tabindex="-1">Data of the accuracy suite <a class="header-anchor" href="#data-of-the-accuracy-suite" aria-label="Permalink to &quot;Data of the accuracy suite&quot;">​</a></h1><table tabindex="0"><thead><tr><th>file</th><th>what</th><th>source, licence</th></tr></thead><tbody><tr><td><code>sst2-dev-200.tsv</code></td><td>200 sentences of the SST-2 development set (shuffled with a fixed seed), label 0/1 after a tab</td><td>Stanford Sentiment Treebank, Socher et al. 2013</td></tr><tr><td><code>capitals.tsv</code>, <code>continents.tsv</code></td><td>country and capital, country and continent</td><td>mledoze/countries, ODbL 1.0</td></tr><tr><td><code>xquad-held-out.json</code></td><td>all 186 questions on the 40 paragraphs that <code>squad-distilbert</code> was not trained on; for 48 questions the paragraph was longer than 256 positions and lost sentences at its end, or at its beginning where the answer stands at its end</td><td>XQuAD, English part, from SQuAD 1.1, CC BY-SA 4.0</td></tr><tr><td><code>plain-questions.json</code></td><td>40 questions on eight paragraphs</td><td>our own words, Apache-2.0</td></tr><tr><td><code>wnut17-dev-200.json</code></td><td>the first 200 sentences of the WNUT 2017 development set as text, entities by UTF-16 offsets</td><td>WNUT 2017 Emerging Entities, CC BY 4.0</td></tr><tr><td><code>prompts.json</code></td><td>40 beginnings: 14 of WikiText-2 test, 13 of the last tenth of tinyshakespeare, 13 in our own words</td><td>Merity et al. 2016, from Wikipedia, CC BY-SA; public domain; Apache-2.0</td></tr></tbody></table></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("bench/data/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};
