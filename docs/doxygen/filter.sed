# Doxygen reads ///, and ///< behind a member; our headers have plain comments. What stands in them is
# prose, so characters that mean something to Doxygen are taken as they are.
/^ *\/\//{
  s/\([\\@#<>&]\)/\\\1/g
  s/\([( ]\)::/\1\\::/g
  s/^\( *\)\/\/ NOLINT.*$/\1/
  s/^\( *\)\/\//\1\/\/\//
  s/^\( \{10,\}\)\/\/\/ /\1\/\/\/< /
}
/[^ \/].*  *\/\/ /{
  /NOLINT\|IWYU\|namespace/!{
    h
    s/^.*[^:]\/\/ //
    s/\([\\@#<>&]\)/\\\1/g
    x
    s/  *\/\/ .*$/  \/\/\/< /
    G
    s/\n//
  }
}
