package sqlstore

import (
	"unicode/utf8"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectSetting  = `SELECT value FROM settings WHERE name = $1`
	selectSettings = `SELECT name, value FROM settings WHERE name >= $1 AND name < $2 ORDER BY name`
	updateSetting  = `UPDATE settings SET value = $2 WHERE name = $1`
	upsertSetting  = `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

	selectURL = `SELECT url FROM issuer_url WHERE one = $1`
	upsertURL = `INSERT INTO issuer_url (one, url) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET url = excluded.url`
)

// Setting implements issuer.SettingReader.
func (t *tx) Setting(name string) (int64, error) {
	var value int64
	err := t.findOrLock(lockSettings, selectSetting, name, &value)
	return value, err
}

// Settings implements issuer.SettingReader.
func (t *tx) Settings(prefix string) ([]issuer.Setting, error) {
	if t.updates {
		if err := t.lock(lockSettings); err != nil {
			return nil, err
		}
	}
	return list(t, scanSetting, t.holding(selectSettings), prefix, prefix+string(utf8.MaxRune))
}

func scanSetting(r row) (s issuer.Setting, err error) {
	err = r.Scan(&s.Name, &s.Value)
	return s, err
}

// PutSetting implements issuer.SettingWriter.
func (t *tx) PutSetting(name string, value int64) error {
	return t.changeOrLock(lockSettings, updateSetting, upsertSetting, name, value)
}

// URL implements issuer.SettingReader.
func (t *tx) URL() (string, error) {
	var url string
	err := t.find(selectURL, 1, &url)
	return url, err
}

// PutURL implements issuer.SettingWriter.
func (t *tx) PutURL(url string) error { return t.insert(upsertURL, url) }
