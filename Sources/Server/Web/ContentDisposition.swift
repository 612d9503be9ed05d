// SPDX-License-Identifier: Apache-2.0
// What browsers are told of files that are to be kept.

/// What makes browsers keep an answer as a file.
enum ContentDisposition {
    /// With a name of any characters, and one of plain ASCII for programs that know no other.
    ///
    /// - Source: RFC 6266, section 4.3; RFC 8187, section 3.2.
    static func attachment(_ name: String) -> String {
        let plain = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    let isPlain =
                        scalar.isASCII && scalar.value >= 0x20
                        && !"\"\\%\u{7F}".unicodeScalars.contains(scalar)
                    return isPlain ? scalar : "_"
                }))
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(Link.encoded(name))"
    }
}
