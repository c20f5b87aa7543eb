package storetest

import (
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func deviceCode(id string) issuer.DeviceCode {
	return issuer.DeviceCode{
		Hash: id, UserHash: "user " + id, ClientID: "client_" + odd, Resource: "https://api.example.com/" + odd, Issued: base, Expires: base.Add(time.Minute),
		Interval: 5 * time.Second, AMR: []string{},
	}
}

func (s *suite) deviceCodes() {
	one := deviceCode("one")
	find := func(r issuer.Reader) (issuer.DeviceCode, error) { return r.DeviceCode("one") }
	missing(s, find)
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateDeviceCode(one) })
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.DeleteDeviceCode("one") })
	s.update(func(tx issuer.Tx) error { return tx.InsertDeviceCode(one) })
	s.equal(read(s, find), one)
	s.equal(read(s, func(r issuer.Reader) (issuer.DeviceCode, error) { return r.DeviceCodeByUser("user one") }), one)
	for _, taken := range []issuer.DeviceCode{{Hash: "one", UserHash: "other"}, {Hash: "other", UserHash: "user one"}} {
		s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertDeviceCode(taken) })
	}

	changed := one
	changed.Scope, changed.Interval, changed.Polled, changed.Decision = []string{"b:2", "a:1"}, time.Hour, base.Add(1e6), issuer.DeviceAllowed
	changed.Subject, changed.Generation, changed.AMR, changed.AuthTime = odd, 7, []string{"pwd", "otp"}, base.Add(-1e6)
	s.update(func(tx issuer.Tx) error {
		altered := changed
		altered.ClientID, altered.Resource, altered.Issued, altered.Expires = "", "", time.Time{}, time.Time{} // must not be taken over
		return tx.UpdateDeviceCode(altered)
	})
	s.equal(read(s, find), changed)

	late := deviceCode("late")
	late.Expires = base.Add(time.Hour)
	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertDeviceCode(late), tx.InsertDeviceCode(issuer.DeviceCode{Hash: "other", UserHash: "other", ClientID: "client_other", Expires: late.Expires}))
	})
	for at, want := range map[time.Time]int{base: 2, base.Add(time.Minute): 1, base.Add(2 * time.Hour): 0} {
		s.equal(read(s, func(r issuer.Reader) (int, error) { return r.CountDeviceCodes(one.ClientID, at) }), want)
	}
	for _, c := range []struct {
		subject, client string
		want            int
	}{{odd, "client_other", 0}, {"other", one.ClientID, 0}, {odd, one.ClientID, 1}, {odd, one.ClientID, 0}} {
		s.count(c.want, func(tx issuer.Tx) (int, error) { return tx.DeleteDeviceCodesTo(c.subject, c.client) })
	}
	missing(s, find)
	for _, want := range []int{1, 0} {
		s.count(want, func(tx issuer.Tx) (int, error) { return tx.DeleteDeviceCodes("client_other", late.Expires.Add(1e6), 9) })
	}
	s.update(func(tx issuer.Tx) error { return tx.DeleteDeviceCode("late") })
	s.equal(read(s, func(r issuer.Reader) (int, error) { return r.CountDeviceCodes(one.ClientID, base) }), 0)
}
