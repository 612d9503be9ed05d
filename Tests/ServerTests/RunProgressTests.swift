// SPDX-License-Identifier: Apache-2.0
// What is said of a running import: the share, the rate and the time left, and nothing that is not known.

import Foundation
import Hub
import Model
import Testing
import Words

@testable import Server

@Suite struct RunProgressTests {
    private static let start: Int64 = 1_795_867_200_000_000

    private static func at(_ seconds: Int) -> Timestamp {
        Timestamp(microsecondsSince1970: start + Int64(seconds) * 1_000_000)
    }

    /// Batches of a thousand records and 10 MB a second each, newest first.
    private static func batches(_ count: Int, of artifact: Int = 7, isPlaced: Bool = true) -> [RunBatch] {
        (1...count).reversed().map { number in
            RunBatch(
                number: number, records: 1000, at: at(number), artifact: artifact,
                readTo: isPlaced ? number * 10_000_000 : nil)
        }
    }

    private static func reading(files: Int = 1, finished: Int = 0, checkedTo: Int = 0) -> RunReading {
        RunReading(
            files: files, size: finished + 100_000_000, finished: finished,
            current: RunReading.Current(artifact: 7, size: 100_000_000, checkedTo: checkedTo))
    }

    private func view(_ reading: RunReading, _ batches: [RunBatch], now: Timestamp) throws -> ProgressView {
        let saying = Saying(words: try Words(.french), now: now, zone: "Europe/Paris")
        return ProgressView(
            RunProgress(reading, batches, now: now), reading,
            RunLedger(inserted: batches.reduce(0) { $0 + $1.records }), saying)
    }

    @Test func `share, rate and time left follow from the last batches`() {
        let progress = RunProgress(Self.reading(), Self.batches(4), now: Self.at(4))
        #expect(progress.share == RunProgress.Share(done: 40_000_000, all: 100_000_000))
        #expect(progress.perSecond == 1000 && progress.secondsLeft == 6 && !progress.isChecking)
    }

    @Test func `files that are done count, and those that have not come are not guessed`() throws {
        let reading = Self.reading(files: 3, finished: 300_000_000)
        let progress = RunProgress(reading, Self.batches(4), now: Self.at(4))
        #expect(progress.share == RunProgress.Share(done: 340_000_000, all: 400_000_000))
        let view = try view(reading, Self.batches(4), now: Self.at(4))
        #expect(view.share?.percent == "85\u{202F}%" && view.share?.of == "des 3 fichiers reçus lu")
    }

    @Test func `two batches tell no rate and no time`() {
        let progress = RunProgress(Self.reading(), Self.batches(2), now: Self.at(2))
        #expect(progress.share?.done == 20_000_000)
        #expect(progress.perSecond == nil && progress.secondsLeft == nil)
    }

    @Test func `a time left is not told once no batch has come for long`() {
        let batches = Self.batches(4)
        #expect(RunProgress(Self.reading(), batches, now: Self.at(8)).secondsLeft == 3)
        #expect(RunProgress(Self.reading(), batches, now: Self.at(40)).secondsLeft == nil)
    }

    @Test func `a file that gives its records only at its end has no share, and its records are told`() throws
    {
        let batches = Self.batches(4, isPlaced: false)
        let progress = RunProgress(Self.reading(), batches, now: Self.at(4))
        #expect(progress.share == nil && progress.secondsLeft == nil && progress.perSecond == 1000)
        let view = try view(Self.reading(), batches, now: Self.at(4))
        #expect(view.share == nil && view.said == nil && view.records.hasPrefix("4\u{202F}000 lignes"))
    }

    @Test func `before its first batch a file is only being checked`() throws {
        let reading = Self.reading(files: 2, finished: 5, checkedTo: 25_000_000)
        let earlier = Self.batches(4, of: 6)
        let progress = RunProgress(reading, earlier, now: Self.at(4))
        #expect(progress.isChecking && progress.secondsLeft == nil)
        #expect(progress.share == RunProgress.Share(done: 25_000_000, all: 100_000_000))
        let view = try view(reading, earlier, now: Self.at(4))
        #expect(view.speed == nil && view.share?.of.contains("rien n’en est encore écrit") == true)
    }

    @Test func `what is said aloud changes at each tenth only`() throws {
        let said = try [31, 38, 39, 40, 49].map { share in
            var batches = Self.batches(3)
            batches[0] = RunBatch(
                number: 3, records: 1, at: Self.at(3), artifact: 7, readTo: share * 1_000_000)
            return try view(Self.reading(), batches, now: Self.at(3)).said
        }
        let (three, four) = ("30\u{202F}% lu", "40\u{202F}% lu")
        #expect(said == [three, three, three, four, four])
    }

    @Test(arguments: [
        ("clients.csv", "attachment; filename=\"clients.csv\"; filename*=UTF-8''clients.csv"),
        (
            "reçus \"été\" 5 %\\.csv",
            "attachment; filename=\"re_us __t__ 5 __.csv\"; filename*=UTF-8''re%C3%A7us%20%22%C3%A9t%C3%A9%22%205%20%25%5C.csv"
        ), ("a\r\nX: y.csv", "attachment; filename=\"a__X: y.csv\"; filename*=UTF-8''a%0D%0AX%3A%20y.csv"),
    ])
    func `a file's name is told as any program understands it`(_ name: String, _ header: String) {
        #expect(ContentDisposition.attachment(name) == header)
    }
}
