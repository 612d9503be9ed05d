// SPDX-License-Identifier: Apache-2.0
// Regular expressions with bounded work, on PCRE2.

internal import CLibPCRE2
internal import Model

/// A compiled regular expression over UTF-8 text.
///
/// PCRE2 backtracks, so each match has a step limit; a pattern that reaches it does not match.
/// `@unchecked Sendable`: compiled code is never written after `init`, and PCRE2 allows concurrent matches on it
/// (pcre2api, "Multithreading"); the match data is not here but in each reader's own ``PatternMatcher``.
@safe
package final class Pattern: @unchecked Sendable {
    /// Why a pattern cannot be compiled.
    package struct Fault: Error {
        /// Offset in the pattern, in bytes.
        package let offset: Int
        /// PCRE2's explanation.
        package let words: String
    }

    /// The pattern as written.
    package let source: String
    private let code: OpaquePointer
    /// Holds the step limit; only read by matches.
    private let context: OpaquePointer?
    private static let stepLimit: UInt32 = 100_000

    /// Compiles a pattern.
    ///
    /// - Throws: ``Fault`` with the place in the pattern and what is wrong there.
    package init(_ source: String) throws(Fault) {
        self.source = source
        var error: Int32 = 0
        var offset = 0
        let bytes = Array(source.utf8)
        guard let code = unsafe relais_pcre2_compile(bytes, bytes.count, &error, &offset) else {
            throw Fault(offset: offset, words: Self.words(for: error))
        }
        unsafe self.code = code
        // Where the processor has no JIT, matches are interpreted: slower, the same results.
        _ = unsafe pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
        var count: UInt32 = 0
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        groups = Int(count)
        unsafe context = pcre2_match_context_create_8(nil)
        _ = unsafe pcre2_set_match_limit_8(context, Self.stepLimit)
    }

    deinit {
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_code_free_8(code)
    }

    private static func words(for error: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = unsafe pcre2_get_error_message_8(error, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
    }

    /// The number of digits that a text must have, where that is all that the pattern says (`^\d{9}$`).
    var digitCount: Int? {
        guard source.hasPrefix(#"^\d{"#), source.hasSuffix("}$") else { return nil }
        let count = source.dropFirst(4).dropLast(2)
        return count.utf8.allSatisfy { (48...57).contains($0) } ? Int(count) : nil
    }

    /// Number of capturing groups.
    package let groups: Int

    /// Names of its groups and their numbers.
    var groupNames: [(name: String, number: Int)] {
        var count: UInt32 = 0
        var entrySize: UInt32 = 0
        var table: UnsafePointer<UInt8>?
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &entrySize)
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table = unsafe table else { return [] }
        return (0..<Int(count)).map { index in
            // An entry is the number in two bytes, then the name with a zero behind it.
            let entry = unsafe table + index * Int(entrySize)
            let name = unsafe String(cString: UnsafeRawPointer(entry + 2).assumingMemoryBound(to: CChar.self))
            return unsafe (name, Int(entry[0]) << 8 | Int(entry[1]))
        }
    }

    /// The texts of its named groups, where the whole of `text` follows it; nil where it does not.
    func namedGroups(in text: String) -> [String: String]? {
        let matcher = PatternMatcher()
        let bytes = Array(text.utf8)
        let place = TextRange(start: 0, count: bytes.count)
        guard matcher.match(self, bytes, place) else { return nil }
        var groups: [String: String] = [:]
        for (name, number) in groupNames {
            guard let range = matcher.group(number, of: place) else { continue }
            groups[name] = String(decoding: bytes[range.offsets], as: UTF8.self)
        }
        return groups
    }

    fileprivate func match(_ bytes: [UInt8], _ place: TextRange, _ data: OpaquePointer?) -> Int32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard place.end <= buffer.count, let start = buffer.baseAddress else {
                return place.count == 0 ? unsafe matchNothing(data) : -1
            }
            return unsafe pcre2_match_8(
                code, start + Int(place.start), Int(place.count), 0, 0, data, context)
        }
    }

    private func matchNothing(_ data: OpaquePointer?) -> Int32 {
        var nothing: UInt8 = 0
        return unsafe pcre2_match_8(code, &nothing, 0, 0, 0, data, context)
    }
}

/// The memory of one reader's matches: patterns are shared by all readers, this is not.
@safe
final class PatternMatcher {
    private let data: OpaquePointer?
    private static let groups: UInt32 = 32

    init() {
        unsafe data = pcre2_match_data_create_8(Self.groups, nil)
    }

    deinit {
        unsafe pcre2_match_data_free_8(data)
    }

    /// Whether a pattern matches somewhere in a text; ``group(_:of:)`` then has the places.
    func match(_ pattern: Pattern, _ bytes: [UInt8], _ place: TextRange) -> Bool {
        unsafe pattern.match(bytes, place, data) >= 0
    }

    /// The first match: its first group, or all of it when the pattern has no group; nil where there is none.
    func firstMatch(of pattern: Pattern, _ bytes: [UInt8], _ place: TextRange) -> TextRange? {
        guard match(pattern, bytes, place) else { return nil }
        return group(pattern.groups > 0 ? 1 : 0, of: place)
    }

    /// The place of a group of the last match; nil where it took no part.
    func group(_ number: Int, of place: TextRange) -> TextRange? {
        guard number < Self.groups, let offsets = unsafe pcre2_get_ovector_pointer_8(data) else { return nil }
        let start = unsafe offsets[number * 2]
        let end = unsafe offsets[number * 2 + 1]
        // A group that took no part has the offset "all ones", which is no place in the text.
        guard start >= 0, start <= end, end <= Int(place.count) else { return nil }
        return TextRange(start: Int(place.start) + start, count: end - start)
    }
}
