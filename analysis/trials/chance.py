"""P as a share of permutations or simulations, which knows how many could tell.

Of n of them no p is below 1 / (n + 1), its floor: none was as extreme, and how much
smaller p would be with more of them nobody knows. So the floor is printed as such.
"""


class CountedP(float):
    """A p with what it was counted over; in all else a number like any.

    Attributes
    ----------
    n
        Permutations, or simulations.
    of
        Which of these.
    """

    n: int
    of: str

    @property
    def is_floor(self) -> bool:
        """Whether nothing that was counted was as extreme as what was observed."""
        return self <= 1 / (1 + self.n)

    @property
    def floor_words(self) -> str:
        """What is said of a p that is the floor."""
        return f"the floor of {self.n} {self.of}"


def counted_p(n_as_extreme: int, n: int, of: str = "permutations") -> CountedP:
    """Return (1 + count) / (1 + n), the observed one being one of them.

    Examples
    --------
    >>> counted_p(0, 199), counted_p(0, 199).floor_words
    (0.005, 'the floor of 199 permutations')
    >>> counted_p(9, 199).is_floor
    False
    """
    p = CountedP((1 + n_as_extreme) / (1 + n))
    p.n, p.of = n, of
    return p
