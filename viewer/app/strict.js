// Lets the terminal work under a policy that allows no styles in the page's text.
//
// The terminal makes `style` elements for its colours and the size of its cells, and writes `style` attributes for colours of single
// cells. The first get the nonce that this page was given; the second are set as properties, which the policy does not concern.

const nonce = document.querySelector('script[nonce]').nonce;
const create = document.createElement;
const setAttribute = Element.prototype.setAttribute;

document.createElement = function (name, options) {
  const made = create.call(this, name, options);
  if (made instanceof HTMLStyleElement) made.nonce = nonce;
  return made;
};

Element.prototype.setAttribute = function (name, value) {
  if (name === 'style') this.style.cssText = value;
  else setAttribute.call(this, name, value);
};
