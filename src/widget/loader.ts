/** The one script that a host page loads. Small, because every visitor of that page pays for it. */
import { TercetInfer } from './element.ts';

// Two tags on one page may name the script twice, and two servers may have one each: the first one stays.
if (customElements.get('tercet-infer') === undefined) customElements.define('tercet-infer', TercetInfer);
