package issuer

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
)

// MAC authenticates a message for a purpose, a fixed text that names what the code is for. The key is derived from the
// newest root key in use, the purpose and the issuer's URL, so every server over one database makes the same code, the
// database alone can't make any, and a code for one purpose says nothing for another. The version names the root key:
// keep it beside the code.
func (i *Issuer) MAC(purpose string, message []byte) (version byte, mac []byte) {
	keys := i.keys.Load()
	version = keys.rootVersion(i.config.Now())
	return version, i.mac(keys.roots[version].secret, purpose, message)
}

// CheckMAC reports, in constant time, whether a code is the one that MAC made, under this root key or an older one.
func (i *Issuer) CheckMAC(purpose string, message []byte, version byte, mac []byte) bool {
	root, known := i.keys.Load().roots[version]
	return known && hmac.Equal(mac, i.mac(root.secret, purpose, message))
}

// checkShortMAC is CheckMAC for a code that was cut.
func (i *Issuer) checkShortMAC(purpose string, message []byte, version byte, mac []byte) bool {
	root, known := i.keys.Load().roots[version]
	return known && hmac.Equal(mac, i.mac(root.secret, purpose, message)[:len(mac)])
}

// mac is HMAC-SHA256 under a key of its own. What the root key authenticates directly begins otherwise: see
// refreshToken.authenticate.
func (i *Issuer) mac(rootKey []byte, purpose string, message []byte) []byte {
	info := appendText(appendText([]byte("jot: derived MAC key"), purpose), i.config.URL)
	key, err := hkdf.Expand(sha256.New, rootKey, string(info), sha256.Size)
	if err != nil {
		panic(err) // only for a longer key
	}
	code := hmac.New(sha256.New, key)
	code.Write(message)
	return code.Sum(nil)
}
