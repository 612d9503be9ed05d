// SPDX-License-Identifier: Apache-2.0
// What the operating system says when it refuses something, in facts that the catalogue can translate.

internal import Foundation
internal import Glibc

/// Facts about an error of the operating system.
package enum SystemFault {
    /// `errno`, the number, and `detail`, the system's own words; the catalogue's words for the number, where it
    /// has any, take the place of these.
    package static func facts(_ number: Int32 = errno) -> [String: String] {
        ["detail": unsafe String(cString: strerror(number)), "errno": String(number)]
    }

    /// The same of an error that Foundation threw.
    package static func facts(_ error: any Error) -> [String: String] {
        var error = error as NSError
        while error.domain != NSPOSIXErrorDomain,
            let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError
        {
            error = cause
        }
        guard error.domain == NSPOSIXErrorDomain else { return ["detail": error.localizedDescription] }
        return facts(Int32(error.code))
    }
}
