// SPDX-License-Identifier: Apache-2.0
// How far a running import is: the share of bytes read, the rate, the time left; nothing that is not known.

internal import Hub
internal import Model
internal import Words

/// How far a running import is, as its last batches tell.
struct RunProgress: Hashable {
    /// Bytes done, of those that there are.
    struct Share: Hashable {
        let done: Int
        let all: Int
    }

    /// Whether the file is only looked at so far: nothing of it is written.
    let isChecking: Bool
    /// nil where the file tells only at its end.
    let share: Share?
    /// Records a second; nil before the third batch.
    let perSecond: Int?
    /// nil where nothing tells: before the third batch of the file, and when no batch has come for long.
    let secondsLeft: Int?

    /// Batches of which a rate tells something.
    private static let enough = 3

    /// - Parameter batches: the last ones, newest first.
    init(_ reading: RunReading, _ batches: [RunBatch], now: Timestamp) {
        let last = batches.first
        perSecond = Self.records(batches).map { Int($0.rounded()) }
        guard let current = reading.current else {
            (isChecking, secondsLeft) = (false, nil)
            share = Share(done: reading.finished, all: reading.size)
            return
        }
        let own = batches.filter { $0.artifact == current.artifact }
        isChecking = own.isEmpty
        guard let newest = own.first, let last else {
            share = Share(done: current.checkedTo, all: current.size)
            secondsLeft = nil
            return
        }
        guard let readTo = newest.readTo else {
            (share, secondsLeft) = (nil, nil)
            return
        }
        let share = Share(done: min(reading.finished + readTo, reading.size), all: reading.size)
        self.share = share
        let rate = Self.rate(of: own) { batches in
            batches.last?.readTo.map { Double(readTo - $0) }
        }
        let silence = Self.seconds(last.at, now)
        let usual = own.last.map { Self.seconds($0.at, newest.at) / Double(max(1, own.count - 1)) } ?? 0
        guard let rate, rate > 0, silence < max(30, usual * 5) else {
            secondsLeft = nil
            return
        }
        secondsLeft = Int(max(0, Double(share.all - share.done) / rate - max(0, silence - usual)))
    }

    /// What was done a second between the oldest batch and the newest.
    /// Records a second; nil before the third batch.
    static func records(_ batches: [RunBatch]) -> Double? {
        rate(of: batches) { batches in batches.dropLast().reduce(0) { $0 + $1.records } }
    }

    private static func rate(of batches: [RunBatch], _ done: ([RunBatch]) -> Double?) -> Double? {
        guard batches.count >= enough, let newest = batches.first, let oldest = batches.last,
            let done = done(batches)
        else { return nil }
        return done / max(0.001, seconds(oldest.at, newest.at))
    }

    private static func rate(of batches: [RunBatch], _ done: ([RunBatch]) -> Int) -> Double? {
        rate(of: batches) { Double(done($0)) as Double? }
    }

    private static func seconds(_ from: Timestamp, _ to: Timestamp) -> Double {
        Double(to.microsecondsSince1970 - from.microsecondsSince1970) / 1_000_000
    }
}

/// The same in words.
struct ProgressView: Sendable {
    /// What is read of what there is.
    struct Share: Sendable {
        let percent: String
        let of: String
        let bytes: String
        let done: String
        let all: String
    }

    let share: Share?
    /// Where no share is known.
    let records: String
    let speed: String?
    let left: String?
    /// What is said aloud; it changes at each tenth only.
    let said: String?

    /// Of rows, where no file is read.
    ///
    /// - Parameter batches: the last ones, newest first.
    init(_ done: Int, of all: Int, _ batches: [RunBatch], _ saying: Saying) {
        let words = saying.words
        // Rows come while others are decided.
        let all = max(all, done)
        share = Share(
            percent: words.percent(done, of: all), of: words("page.run.progress.decided"),
            bytes: words(
                "page.run.progress.bytes", ["done": words.number(done), "all": words.number(all)]),
            done: String(done), all: String(max(1, all)))
        records = ""
        let rate = RunProgress.records(batches)
        speed = rate.map { saying.number(Int($0.rounded())) }
        left = rate.flatMap { rate in
            rate > 0
                ? words(
                    "page.run.progress.left",
                    ["about": words.remaining(seconds: Int(Double(all - done) / rate))]) : nil
        }
        let tenths = all == 0 ? 0 : done * 10 / all
        said = words("page.run.progress.sayDecided", ["share": words.percent(tenths, of: 10)])
    }

    init(_ progress: RunProgress, _ reading: RunReading, _ ledger: RunLedger, _ saying: Saying) {
        let words = saying.words
        share = progress.share.map { share in
            Share(
                percent: words.percent(share.done, of: share.all),
                of: progress.isChecking
                    ? words("page.run.progress.checked")
                    : words("page.run.progress.read", count: reading.files),
                bytes: words(
                    "page.run.progress.bytes",
                    ["done": words.bytes(share.done), "all": words.bytes(share.all)]),
                done: String(share.done), all: String(max(1, share.all)))
        }
        records = words("page.run.progress.unknown", count: ledger.read)
        speed = progress.isChecking ? nil : progress.perSecond.map(saying.number)
        left = progress.secondsLeft.map {
            words("page.run.progress.left", ["about": words.remaining(seconds: $0)])
        }
        if progress.isChecking {
            said = words("page.run.progress.sayChecking")
        } else {
            said = progress.share.map { share in
                let tenths = share.all == 0 ? 0 : share.done * 10 / share.all
                return words("page.run.progress.say", ["share": words.percent(tenths, of: 10)])
            }
        }
    }
}
