// SPDX-License-Identifier: Apache-2.0
// JSON by RFC 8259: what is read, what is refused and where, wherever the pieces end.

import Diagnostics
import JSON
import RelaisTesting
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSONNode { try JSONParser.parse(Array(text.utf8)) }

    private func fault(_ text: String) -> String? {
        do {
            _ = try parse(text)
            return nil
        } catch let error as JSONError {
            let place = error.diagnostic.place
            return "\(error.diagnostic.code) \(place.line ?? 0):\(place.column ?? 0)"
        } catch { return "\(error)" }
    }

    @Test func `values keep their digits and their order`() throws {
        let node = try parse(
            #" {"b": [1.10, -0, 1E+2, true, null], "a": {"é\u00e9\ud83d\ude00\n": "x\/y"}} "#)
        let items: [JSONNode] = [.number("1.10"), .number("-0"), .number("1E+2"), .boolean(true), .null]
        #expect(node["b"] == .array(items))
        #expect(node["a"]?["éé😀\n"]?.text == "x/y")
        guard case .object(let members) = node else { return #expect(Bool(false)) }
        #expect(members.map(\.key) == ["b", "a"])
    }

    @Test(
        arguments: zip(
            [
                "1.25e3", "-1.5e-3", "12e0", "1e-2", "0.5e1", "1e41", "-120.50e1", "1e-9223372036854775808",
                "1e99999999999999999999",
            ],
            [
                "1250", "-0.0015", "12", "0.01", "5", "1e41", "-1205.0", "1e-9223372036854775808",
                "1e99999999999999999999",
            ]))
    func `numbers lose their exponent, exactly`(number: String, plain: String) throws {
        #expect(try parse(number).text == plain)
    }

    @Test(
        arguments: [
            "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1", "- 1", "1e", "tru",
            "nul",
            "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\u{1}\"", "\"\n\"", "[1 2]",
            "{}{}",
            "", " ", "NaN", "'a'", "[1]]", "{\"a\":}", "\"\\", "\"\\u0000\"",
        ])
    func `anything else is refused`(text: String) {
        let code = fault(text)
        #expect(
            code?.hasPrefix("JSON-MALFORMED") == true || code?.hasPrefix("JSON-TRUNCATED") == true, "\(text)")
    }

    @Test func `faults name their place`() {
        #expect(fault("{\n  \"a\": 1,\n  \"b\": x}") == "JSON-MALFORMED 3:8")
        #expect(fault("{\"a\":1,\n\"a\":2}") == "JSON-DUPLICATE-KEY 2:0")
        #expect(fault(String(repeating: "[", count: 65)) == "JSON-DEPTH 1:0")
        #expect(fault(String(repeating: "[", count: 64) + String(repeating: "]", count: 64)) == nil)
    }

    private func objects(_ text: String, step: Int) throws -> [String] {
        var reader = JSONRecordReader()
        var rest = Array(text.utf8)[...]
        var found: [String] = []
        while !rest.isEmpty {
            try reader.feed(Array(rest.prefix(step))) { object in
                #expect(Array(Array(text.utf8)[object.place]) == object.bytes)
                found.append("\(object.line) " + String(decoding: object.bytes, as: UTF8.self))
            }
            rest = rest.dropFirst(step)
        }
        try reader.finish()
        return found
    }

    @Test(arguments: [1, 2, 3, 7, Int.max])
    func `objects are found one a line and in an array`(step: Int) throws {
        let lines = "\u{FEFF}{\"a\":\"}{\\\"\"}\r\n\n{\"b\":[{},\n{}]}{}\n"
        #expect(try objects(lines, step: step) == ["1 {\"a\":\"}{\\\"\"}", "3 {\"b\":[{},\n{}]}", "4 {}"])
        #expect(try objects(" [ {\"a\":1},\n {\"b\":2} ] \n", step: step) == ["1 {\"a\":1}", "2 {\"b\":2}"])
        for broken in [
            "x", "{}]", "[{}", "{\"a\":\"", "[[{}]]", "[] {}", "12", "[,{}]", "[{},]", "[{},,{}]", "[{} {}]",
            "{},{}", String(repeating: "{\"a\":", count: 70),
        ] {
            #expect(throws: JSONError.self, "\(broken)") { try objects(broken, step: step) }
        }
    }

    @Test func `damaged bytes never crash the parser`() {
        var random = Seeded(5)
        let bytes = Array(#"{"a": [1.5e-3, "x\u00e9\n", true, null, {"b": {}}], "c": -12}"#.utf8)
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? JSONParser.parse(damaged)
            var reader = JSONRecordReader()
            try? reader.feed(damaged) { _ in }
        }
    }
}
