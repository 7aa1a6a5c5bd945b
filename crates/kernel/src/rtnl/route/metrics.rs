//! Route metrics (`RTA_METRICS`) to and from messages.

use hairpin_netlink::{
    Errno, Failure,
    core::Nla,
    route::route::{RouteAttribute, RouteMetric},
};

use crate::route::{MetricSpec, Metrics};

/// `RTAX_*` from 1 on; number 16 is text and not in here.
const NUMBERED: [fn(u32) -> RouteMetric; 15] = [
    RouteMetric::Lock,
    RouteMetric::Mtu,
    RouteMetric::Window,
    RouteMetric::Rtt,
    RouteMetric::RttVar,
    RouteMetric::SsThresh,
    RouteMetric::Cwnd,
    RouteMetric::Advmss,
    RouteMetric::Reordering,
    RouteMetric::Hoplimit,
    RouteMetric::InitCwnd,
    RouteMetric::Features,
    RouteMetric::RtoMin,
    RouteMetric::InitRwnd,
    RouteMetric::QuickAck,
];

/// The metrics of a request.
///
/// # Errors
/// `EINVAL` for one that is not a number.
pub(in crate::rtnl) fn parse(given: &[RouteMetric]) -> Result<Vec<MetricSpec>, Failure> {
    let one = |metric: &RouteMetric| match metric {
        RouteMetric::CcAlgo(name) => Ok(MetricSpec::Congestion(name.clone())),
        metric if metric.kind() > Metrics::MAX => Ok(MetricSpec::Value(metric.kind(), 0)),
        metric if metric.value_len() == 4 => {
            let mut value = [0; 4];
            metric.emit_value(&mut value);
            Ok(MetricSpec::Value(metric.kind(), u32::from_ne_bytes(value)))
        }
        _ => Err(Failure::with_text(Errno::EINVAL, "Invalid attribute in metrics")),
    };
    given.iter().map(one).collect()
}

/// The attribute for a route's metrics, none where all are zero (`rtnetlink_put_metrics`).
pub(in crate::rtnl) fn attribute(metrics: Option<&Metrics>) -> Option<RouteAttribute> {
    let metrics = metrics?;
    let value = |kind: u16| Some(metrics.get(kind)).filter(|value| *value != 0);
    let mut found: Vec<RouteMetric> =
        (1..).zip(NUMBERED).filter_map(|(kind, make)| value(kind).map(make)).collect();
    found.extend(metrics.congestion.clone().map(RouteMetric::CcAlgo));
    found.extend(value(Metrics::MAX).map(RouteMetric::FastopenNoCookie));
    (!found.is_empty()).then_some(RouteAttribute::Metrics(found))
}
