//! `netstat` (net/ipv4/proc.c: `netstat_seq_show`): of IPv4 what is carried, of TCP what connections count. What depends on
//! the fast path of Linux's receiver, on its memory and on how it calls its sockets is 0 here.

use std::fmt::Write as _;

use crate::netns::{Netns, NsId};
use crate::world::World;

const TCP: &str = "SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned \
    OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab DelayedACKs \
    DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits TCPPureAcks TCPHPAcks TCPRenoRecovery \
    TCPSackRecovery TCPSACKReneging TCPSACKReorder TCPRenoReorder TCPTSReorder TCPFullUndo TCPPartialUndo \
    TCPDSACKUndo TCPLossUndo TCPLostRetransmit TCPRenoFailures TCPSackFailures TCPLossFailures TCPFastRetrans \
    TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPLossProbeRecovery TCPRenoRecoveryFail TCPSackRecoveryFail \
    TCPRcvCollapsed TCPBacklogCoalesce TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv \
    TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed \
    TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo \
    TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted TCPSackMerged \
    TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop TCPMinTTLDrop TCPDeferAcceptDrop IPReversePathFilter \
    TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop TCPRetransFail TCPRcvCoalesce TCPOFOQueue \
    TCPOFODrop TCPOFOMerge TCPChallengeACK TCPSYNChallenge TCPFastOpenActive TCPFastOpenActiveFail \
    TCPFastOpenPassive TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPFastOpenCookieReqd \
    TCPFastOpenBlackhole TCPSpuriousRtxHostQueues BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv \
    TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPSynRetrans TCPOrigDataSent TCPHystartTrainDetect \
    TCPHystartTrainCwnd TCPHystartDelayDetect TCPHystartDelayCwnd TCPACKSkippedSynRecv TCPACKSkippedPAWS \
    TCPACKSkippedSeq TCPACKSkippedFinWait2 TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe TCPKeepAlive \
    TCPMTUPFail TCPMTUPSuccess TCPDelivered TCPDeliveredCE TCPAckCompressed TCPZeroWindowDrop TCPRcvQDrop \
    TCPWqueueTooBig TCPFastOpenPassiveAltKey TcpTimeoutRehash TcpDuplicateDataRehash TCPDSACKRecvSegs \
    TCPDSACKIgnoredDubious TCPMigrateReqSuccess TCPMigrateReqFailure";

const IP: &str = "InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets \
    InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts \
    ReasmOverlaps";

fn of_tcp(netns: &Netns, name: &str) -> u64 {
    let tcp = &netns.counters.tcp;
    match name {
        "TW" => tcp.waits,
        "DelayedACKs" => tcp.delayed_acks,
        // Each of them looks for another way too.
        "TCPTimeouts" | "TcpTimeoutRehash" => tcp.timeouts,
        "TCPLossProbes" => tcp.probes,
        "TCPDSACKOldSent" => tcp.told_twice,
        "TCPSynRetrans" => tcp.syn_again,
        "TCPOrigDataSent" => tcp.new_data,
        "TCPDelivered" => tcp.delivered,
        "IPReversePathFilter" => netns.counters.reverse_path,
        _ => 0,
    }
}

fn of_ip(netns: &Netns, name: &str) -> u64 {
    let carried = &netns.counters.carried;
    match name {
        "InNoRoutes" => netns.counters.in_no_routes,
        "InMcastPkts" => carried.multicast[0].0,
        "OutMcastPkts" => carried.multicast[1].0,
        "InBcastPkts" => carried.broadcast[0].0,
        "OutBcastPkts" => carried.broadcast[1].0,
        "InOctets" => carried.octets[0],
        "OutOctets" => carried.octets[1],
        "InMcastOctets" => carried.multicast[0].1,
        "OutMcastOctets" => carried.multicast[1].1,
        "InBcastOctets" => carried.broadcast[0].1,
        "OutBcastOctets" => carried.broadcast[1].1,
        "InNoECTPkts" => carried.ecn[0],
        "InECT1Pkts" => carried.ecn[1],
        "InECT0Pkts" => carried.ecn[2],
        "InCEPkts" => carried.ecn[3],
        _ => 0,
    }
}

pub(super) fn netstat(world: &World, ns: NsId) -> String {
    let mut text = String::new();
    let Some(netns) = world.netns.get(ns) else { return text };
    let groups = [("TcpExt", TCP, of_tcp as fn(&Netns, &str) -> u64), ("IpExt", IP, of_ip)];
    for (title, names, value) in groups {
        let _ = write!(text, "{title}: {names}\n{title}:");
        for name in names.split(' ') {
            let _ = write!(text, " {}", value(netns, name));
        }
        text.push('\n');
    }
    text
}
