// SPDX-License-Identifier: Apache-2.0
// Checks of a node in words, for its page and for `relais doctor`.

package import Diagnostics
package import Hub
package import Words

extension NodeCheck {
    /// What is wrong, with sizes as the language writes them; nil where all is well.
    package func told(_ words: Words) -> Diagnostic? {
        guard var fault else { return nil }
        if let bytes = fault.facts["bytes"].flatMap({ Int($0) }) { fault.facts["free"] = words.size(bytes) }
        return fault
    }
}

extension NodeCheck.Detail {
    /// What was found.
    package func text(_ words: Words) -> String {
        switch self {
        case .installed(let major, let folder): "\(major) (\(folder))"
        case .names(let names): names.joined(separator: ", ")
        case .free(let bytes, let folder): "\(words.size(bytes)) (\(folder))"
        case .stopped: words("db.stopped")
        case .schema(let count, let last): words("db.applied", count: count, ["last": last])
        case .answered(let microseconds, let version):
            words(
                "check.answered",
                ["version": version, "time": "\(words.number((microseconds + 999) / 1000))\u{A0}ms"])
        case .bytes(let count): words("check.bytes", ["size": words.size(count)])
        case .keys(let count):
            count == 0 ? words("check.noKey") : words("check.keys", count: count)
        }
    }
}
