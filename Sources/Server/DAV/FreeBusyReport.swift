// SPDX-License-Identifier: Apache-2.0
// free-busy-query: when somebody is taken, without telling by what.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import ICalendar
internal import Model
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    /// - Source: RFC 4791, 7.10.
    func freeBusy(_ report: DAVReport) async throws -> Response {
        let collection = try report.collection(.calendar)
        guard let element = report.body.child(.calendar("time-range")) else { throw DAVRefusal.badRequest }
        let range = try DAVTimeRange(element)
        guard let start = range.start, let end = range.end else { throw DAVRefusal.badRequest }
        var periods: [BusyPeriod] = []
        var place: String? = ""
        while let after = place {
            let contents = try await pool.withConnection { connection in
                let candidates = try await Occurrences.candidates(
                    "VEVENT", in: collection.id, range, after: after, limit: 500, on: connection)
                place = candidates.count == 500 ? candidates.last?.object.name : nil
                return try await DAVObjects.read(
                    candidates.map(\.object.name), in: collection.id, on: connection)
            }
            periods += contents.flatMap { busy($0.bytes, in: start..<end) }
        }
        let lines =
            [
                "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Relais//Relais//FR", "BEGIN:VFREEBUSY",
                "DTSTAMP:\(now().iCalendarText)", "DTSTART:\(start.iCalendarText)",
                "DTEND:\(end.iCalendarText)",
            ] + BusyPeriod.joined(periods).map(\.line) + ["END:VFREEBUSY", "END:VCALENDAR", ""]
        return Response(
            status: .ok, headers: [.contentType: "text/calendar; charset=utf-8"],
            body: .init(byteBuffer: .init(string: lines.joined(separator: "\r\n"))))
    }

    /// When one object keeps its owner busy.
    private func busy(_ bytes: [UInt8], in range: Range<Timestamp>) -> [BusyPeriod] {
        guard let document = try? ContentDocument(parsing: bytes), let object = try? CalendarObject(document)
        else { return [] }
        let series = CalendarSeries(object, local: zone)
        return series.occurrences(in: range).occurrences.compactMap { occurrence in
            guard let item = occurrence.override.map({ series.overrides[$0] }) ?? series.master,
                !item.isTransparent, item.status != .cancelled
            else { return nil }
            let span = occurrence.span.clamped(to: range)
            return span.isEmpty ? nil : BusyPeriod(span: span, isTentative: item.status == .tentative)
        }
    }
}

/// A time that somebody is taken.
struct BusyPeriod: Sendable, Hashable {
    let span: Range<Timestamp>
    let isTentative: Bool

    /// As VFREEBUSY writes it.
    var line: String {
        let type = isTentative ? "FREEBUSY;FBTYPE=BUSY-TENTATIVE:" : "FREEBUSY:"
        return type + "\(span.lowerBound.iCalendarText)/\(span.upperBound.iCalendarText)"
    }

    /// The same times, those that touch made one.
    static func joined(_ periods: [BusyPeriod]) -> [BusyPeriod] {
        var joined: [BusyPeriod] = []
        for kind in [false, true] {
            var last: BusyPeriod?
            let own = periods.filter { $0.isTentative == kind }
            for period in own.sorted(by: { $0.span.lowerBound < $1.span.lowerBound }) {
                guard let before = last, period.span.lowerBound <= before.span.upperBound else {
                    if let last { joined.append(last) }
                    last = period
                    continue
                }
                let end = max(before.span.upperBound, period.span.upperBound)
                last = BusyPeriod(span: before.span.lowerBound..<end, isTentative: kind)
            }
            if let last { joined.append(last) }
        }
        return joined.sorted { $0.span.lowerBound < $1.span.lowerBound }
    }
}
