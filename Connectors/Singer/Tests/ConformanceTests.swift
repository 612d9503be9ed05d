// SPDX-License-Identifier: Apache-2.0
// The Singer connector keeps the promises of every connector, and a tap's state moves with its records.

import ConnectorKit
import ConnectorTesting
import Diagnostics
import Foundation
import Programs
import Synchronization
import Testing

@testable import SingerConnector

@Suite struct ConformanceTests {
    private let tap = #filePath.replacing("Tests/ConformanceTests.swift", with: "Samples/tap")

    private func settings(_ configuration: String? = nil) -> Settings {
        var settings = Settings(["command": [tap]])
        settings.secrets["configuration"] = configuration.map { Secret(name: "tap", value: $0) }
        return settings
    }

    /// Reads all: texts of artifacts and cursors, and the code of the error at the end.
    private func read(
        _ settings: Settings, after cursor: Cursor? = nil
    ) async -> (texts: [String], cursors: [String], error: Diagnostic?) {
        var (texts, cursors): ([String], [String]) = ([], [])
        do {
            try await SingerConnector(settings).read("customers", after: cursor) { item in
                switch item {
                case .artifact(_, let path): texts.append(try String(contentsOfFile: path, encoding: .utf8))
                case .cursor(let cursor): cursors.append(cursor.text)
                case .problem: break
                }
                return .accepted
            }
        } catch {
            return (texts, cursors, (error as? any ReportableError)?.diagnostic)
        }
        return (texts, cursors, nil)
    }

    @Test func `the connector conforms`() async throws {
        try await Conformance.check(
            SingerConnector.self, settings: settings(#"{"count": 6, "token": "geheim"}"#),
            broken: [
                Settings([:]), Settings(["command": ["tap-x"]]),
                Settings(["command": [tap], "patience": ["0"]]),
            ], secrets: ["geheim"])
    }

    @Test func `a tap that repeats its password does not conform`() async {
        let fault = await #expect(throws: ConformanceFault.self) {
            try await Conformance.check(
                SingerConnector.self, settings: settings(#"{"count": 2, "password": "geheim"}"#), broken: [],
                secrets: ["geheim"])
        }
        #expect(fault?.promise == .secrets && fault?.detail == "stderr")
    }

    @Test func `the streams are those that the tap discovers`() async throws {
        let streams = try await SingerConnector(settings()).discover()
        #expect(streams == [StreamDescription(name: "customers", naturalKey: ["id"])])
    }

    @Test func `a tap is told the state that was kept, and goes on from there`() async throws {
        let first = await read(settings())
        #expect(first.error == nil && first.cursors == [#"{"last":4}"#])
        #expect(first.texts.count == 1 && first.texts[0].contains("Société 4"))
        let second = await read(settings(#"{"count": 7}"#), after: Cursor(#"{"last":4}"#))
        #expect(second.texts.count == 1 && second.cursors == [#"{"last":6}"#])
        #expect(!second.texts[0].contains("\"S4\"") && second.texts[0].contains("\"S7\""))
        let third = await read(settings(#"{"count": 4}"#), after: Cursor(#"{"last":4}"#))
        #expect(third.texts.isEmpty && third.cursors.isEmpty)
    }

    @Test func `what a tap says on standard error is heard, its metrics as such`() async {
        let heard = Mutex([ConnectorRemark]())
        var settings = settings()
        settings.listener = ConnectorListener { remark in heard.withLock { $0.append(remark) } }
        _ = await read(settings)
        #expect(
            heard.withLock { $0 } == [
                .line("INFO Starting sync with nothing"),
                .metric(name: "record_count", isTime: false, value: 4),
                .metric(name: "http_request_duration", isTime: true, value: 0.5),
            ])
    }

    @Test func `a configuration is checked by what the tap says of itself`() throws {
        let json = """
            {"name": "tap-x", "version": "2", "settings": {"type": "object", "required": ["token"], "properties": {
              "token": {"type": ["string"], "description": "Key."}, "free": {"type": ["object", "null"]},
              "page": {"type": "integer", "default": 10},
              "files": {"type": "array", "items": {"type": "object", "required": ["path"], "properties":
                {"path": {"type": "string"}}}}}}}
            """
        let about = try #require(TapAbout(Data(json.utf8)))
        #expect(about.settings.map(\.path) == ["files", "files[].path", "free", "page", "token"])
        #expect(about.settings.map(\.isRequired) == [false, true, false, false, true])
        #expect(about.settings[3].standard == "10" && about.settings[2].types == ["object"])
        func codes(_ text: String) -> [String] {
            about.findings(in: Array(text.utf8), file: "c").map {
                "\($0.code) \($0.facts["setting"] ?? "")"
            }
        }
        #expect(codes(#"{"token": "x", "free": {"a": 1}, "files": [{"path": "y"}]}"#) == [])
        #expect(
            codes(#"{"tokn": "x", "files": [{"path": "y"}, {"paht": "z"}]}"#) == [
                "SETTING-MISSING token", "SETTING-UNKNOWN tokn", "SETTING-MISSING files[].path",
                "SETTING-UNKNOWN files[].paht",
            ])
        #expect(codes("[]") == ["SINGER-CONFIG "])
        #expect(TapAbout(Data("usage: tap".utf8)) == nil)
    }

    @Test func `of a tap that dies, what its last state covers counts, and its last words are told`()
        async throws
    {
        let read = await read(settings(#"{"count": 9, "fail": 5}"#))
        #expect(read.error?.code == "PROGRAM-FAILED")
        #expect(read.error?.facts["detail"]?.contains("the service is gone") == true)
        #expect(read.error?.retry == .after(.seconds(300)))
        #expect(read.cursors == [#"{"last":4}"#])
        #expect(
            read.texts.count == 1 && read.texts[0].contains("\"S4\"") && !read.texts[0].contains("\"S5\""))
    }

    @Test func `messages without a state are cut where they get too many, and none is lost`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let lines = (0..<100).map { #"{"type":"RECORD","stream":"a","record":{"id":\#($0)}}"# + "\n" }
        let file = folder.appending(path: "messages")
        try Data((lines.joined() + #"{"type":"STATE","value":1}"# + "\n").utf8).write(to: file)
        for isWhole in [true, false] {
            var messages = try RecordMessages(file, in: folder, isWhole: isWhole, size: 100, most: 1000)
            var (text, states, count) = ("", [String](), 0)
            while let part = try messages.next() {
                if let path = part.path { text += try String(contentsOfFile: path, encoding: .utf8) }
                states += part.state.map { [$0] } ?? []
                count += 1
            }
            #expect(count > 3 && text.hasPrefix(lines.joined()) && states == ["1"])
        }
    }

    @Test func `a part that cannot even be kept leaves the state where it was`() async throws {
        var cursors = 0
        await #expect(throws: (any Error).self) {
            try await SingerConnector(settings()).read("customers", after: nil) { item in
                if case .cursor = item { cursors += 1 }
                return .refused(Diagnostic(code: "FILE-TOO-LARGE"))
            }
        }
        #expect(cursors == 0)
    }

    @Test func `a program that is not there and one that does not end are told`() async throws {
        var gone = settings()
        gone.values["command"] = ["/no/such/tap"]
        #expect(await read(gone).error?.code == "PROGRAM-MISSING")
        var slow = Settings(["command": ["/bin/sleep"], "config": ["/dev/null"], "patience": ["1"]])
        slow.values["command"] = [#filePath.replacing("Tests/ConformanceTests.swift", with: "Samples/silent")]
        #expect(await read(slow).error?.code == "PROGRAM-SLOW")
    }
}
