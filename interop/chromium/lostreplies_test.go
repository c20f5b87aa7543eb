package chromium

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// lose answers a refresh, and cuts the connection instead of bringing the answer, as often as it was told to.
func (w *world) lose(rw http.ResponseWriter, r *http.Request) {
	if w.losses.Add(-1) < 0 {
		w.Handler().ServeHTTP(rw, r)
		return
	}
	w.Handler().ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

const (
	sid     = `session.claims().then((c) => c && c.sid)`
	insist  = `(async () => { for (let n = 0; n < 50; n++) { const r = await session.fetch("/pets"); if (r.status !== 401) return r.status + " " + await r.text(); } })()`
	ofAdmin = "200 admin"
)

// TestLostRepliesAndSharedTabs: lost replies and tabs that share one store never log a user out. Both tabs refresh at
// once, the answers are lost again and again, and both go on with the session that they had.
func TestLostRepliesAndSharedTabs(t *testing.T) {
	w := start(t)
	for name, query := range map[string]string{"memory": "", "cookies": "?cookies"} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			first := w.tab(query)
			w.want(first, logIn, "undefined")
			second := w.tab(query)
			before := w.eval(first, sid)
			for range 3 {
				w.promote("guest", false)
				w.promote("admin", false)
				w.losses.Store(3)
				both := w.evalBeside(second, insist)
				w.want(first, insist, ofAdmin)
				if got := <-both; got != ofAdmin {
					t.Errorf("the second tab: %s", got)
				}
				w.losses.Store(0)
			}
			for _, tab := range []context.Context{first, second} {
				w.want(tab, sid, before)
			}
			w.want(first, `session.logOut()`, "undefined")
		})
	}
}

// TestFrozenTab: a tab that the browser froze while another one refreshed several times has the latest tokens when it
// goes on, and ends nothing.
func TestFrozenTab(t *testing.T) {
	w := start(t)
	first := w.tab("")
	w.want(first, logIn, "undefined")
	frozen := w.tab("")
	w.want(frozen, insist, "200 ")
	before := w.eval(first, sid)
	must(t, chromedp.Do(frozen, lifecycle(page.SetWebLifecycleStateStateFrozen)))
	for range 3 {
		w.promote("guest", false)
		w.promote("admin", false)
		w.want(first, insist, ofAdmin)
	}
	must(t, chromedp.Do(frozen, lifecycle(page.SetWebLifecycleStateStateActive)))
	w.want(frozen, insist, ofAdmin)
	for _, tab := range []context.Context{first, frozen} {
		w.want(tab, sid, before)
	}
}

// lifecycle freezes a page, or lets it go on.
func lifecycle(state page.SetWebLifecycleStateState) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
		return chromedp.Void{}, err
	}
}
