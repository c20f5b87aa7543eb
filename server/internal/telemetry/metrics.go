package telemetry

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapeTimeout bounds how long one look at the metrics may wait for the database.
const scrapeTimeout = 5 * time.Second

// Metrics are the numbers of one server, in a registry of its own. Its methods for requests do nothing when it's nil.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	inFlight atomic.Int64
}

// Build says which program this is; it's known before the first request.
type Build struct{ Version, Commit string }

// NewMetrics makes the metrics of requests, of Go's runtime and of the process. Watch adds those of the domain.
func NewMetrics(build Build) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jot_http_requests_total", Help: "Requests that were answered, by route, method and class of the status.",
		}, []string{"route", "method", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "jot_http_request_duration_seconds", Help: "How long answers took; those of the live feed over HTTP/1 until its first frame.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
	}
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jot_http_requests_in_flight", Help: "Requests that are being answered; over HTTP/2 streams of the live feed, too.",
	}, func() float64 { return float64(m.InFlight()) })
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jot_build_info", Help: "1, and which program this is."}, []string{"version", "commit", "go"})
	info.WithLabelValues(build.Version, build.Commit, runtime.Version()).Set(1)
	m.registry.MustRegister(m.requests, m.took, inFlight, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with the metrics, in the format that was asked for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 2 * scrapeTimeout})
}

// InFlight is how many requests are being answered.
func (m *Metrics) InFlight() int64 { return m.inFlight.Load() }

// begin counts a request as being answered, until end.
func (m *Metrics) begin() { m.add(1) }

func (m *Metrics) end() { m.add(-1) }

func (m *Metrics) add(requests int64) {
	if m != nil {
		m.inFlight.Add(requests)
	}
}

// observe counts an answer. The labels are the program's own: what a client makes up is a request without a route.
func (m *Metrics) observe(route, method string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status/100)+"xx").Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
}

// Measure is what is measured, once: its name, what it means, and the labels that tell its numbers apart.
type Measure struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
}

// NewCounter describes a number that only grows.
func NewCounter(name, help string, labels ...string) Measure {
	return Measure{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

// NewGauge describes a number as it is at the moment.
func NewGauge(name, help string, labels ...string) Measure {
	return Measure{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

// Emit takes a number, with a value for each label.
type Emit func(what Measure, value float64, labels ...string)

// Watch has the numbers read whenever somebody looks. What read doesn't emit, since the database can't be read, is
// missing from the answer.
func (m *Metrics) Watch(measures []Measure, read func(context.Context, Emit)) {
	m.registry.MustRegister(watcher{measures, read})
}

// watcher implements prometheus.Collector.
type watcher struct {
	measures []Measure
	read     func(context.Context, Emit)
}

func (w watcher) Describe(descriptions chan<- *prometheus.Desc) {
	for _, measure := range w.measures {
		descriptions <- measure.description
	}
}

func (w watcher) Collect(numbers chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	w.read(ctx, func(what Measure, value float64, labels ...string) {
		numbers <- prometheus.MustNewConstMetric(what.description, what.kind, value, labels...)
	})
}
