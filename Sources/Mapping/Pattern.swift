// SPDX-License-Identifier: Apache-2.0
// Regular expressions with bounded work, on PCRE2.

internal import CLibPCRE2

/// A compiled regular expression over UTF-8 text.
///
/// PCRE2 backtracks, so each match has a step limit; a pattern that reaches it does not match.
/// `@unchecked Sendable`: compiled code is never written after `init`, and PCRE2 allows concurrent matches on it
/// (pcre2api, "Multithreading"); the match data is made for each call.
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

    package init(_ source: String) throws(Fault) {
        self.source = source
        var error: Int32 = 0
        var offset = 0
        let bytes = Array(source.utf8)
        guard let code = unsafe relais_pcre2_compile(bytes, bytes.count, &error, &offset) else {
            throw Fault(offset: offset, words: Self.words(for: error))
        }
        unsafe self.code = code
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

    /// Number of capturing groups.
    package var groups: Int {
        var count: UInt32 = 0
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        return Int(count)
    }

    /// The first match in `text`: its first group, or all of it when the pattern has no group.
    package func firstMatch(in text: String) -> String? {
        guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil) else { return nil }
        defer { unsafe pcre2_match_data_free_8(data) }
        var text = text
        return text.withUTF8 { bytes in
            let matched = unsafe pcre2_match_8(code, bytes.baseAddress, bytes.count, 0, 0, data, context)
            guard matched > 0, let offsets = unsafe pcre2_get_ovector_pointer_8(data) else { return nil }
            let group = matched > 1 ? 1 : 0
            let start = unsafe offsets[group * 2]
            let end = unsafe offsets[group * 2 + 1]
            // A group that took no part has the offset "all ones", which is no place in the text.
            guard start >= 0, start <= end, end <= bytes.count else { return nil }
            return unsafe String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }
}
